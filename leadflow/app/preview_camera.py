"""Takes pictures of mails with the Chromium of this machine, over a pipe: no script runs, nothing is fetched."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from leadflow.errors import LeadflowError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    # Containers give it too little for a tall picture.
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
#: Chromium talks on the third and fourth file; a shell puts our two pipes there.
_SHELL = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1'
_ALL_THERE = "Promise.all([...document.images].map((one) => one.decode().catch(() => 0))).then(() => 0)"
#: Seconds that one answer may take.
_PATIENCE = 60.0
#: A mail that is longer is cut: a picture of it would help nobody.
_TALLEST = 8_000


class CameraError(LeadflowError):
    """Chromium does not answer."""


def find_chromium() -> str | None:
    """The first Chromium or Chrome of this machine; None where there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return found or (str(_MAC) if _MAC.exists() else None)


@contextmanager
def camera(chromium: str) -> Iterator["Camera"]:
    """A browser that lives for this block, with nothing of anybody's in it."""
    # Chromium refuses its own sandbox to root.
    flags = [*_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else [*_FLAGS]
    with tempfile.TemporaryDirectory(prefix="leadflow-preview-", ignore_cleanup_errors=True) as profile:
        words = ["/bin/sh", "-c", _SHELL, chromium, *flags, f"--user-data-dir={profile}"]
        process = subprocess.Popen(  # noqa: S603 - the words are ours
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        try:
            made = Camera(process)
            yield made
            made.close()
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise CameraError from error
        finally:
            # Whatever it has started goes with it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


class Camera:
    """A browser that nobody sees."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None  # noqa: S101 - asked for
        assert process.stdout is not None  # noqa: S101 - the same
        self._to, self._from, self._rest, self._last = process.stdin, process.stdout, b"", 0
        self._session: str | None = None

    def take(self, html: str, *, width: int, quality: int | None = None) -> bytes:
        """The whole of `html`, `width` CSS pixels wide, as PNG, or as WebP of a `quality` from 0 to 100."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            kind = {"format": "png"} if quality is None else {"format": "webp", "quality": quality}
            return self._taken(html, width, kind)
        finally:
            # A page of its own for each: what one mail does to its page is over with it.
            self._session = None
            self._ask("Target.closeTarget", targetId=target)

    def _taken(self, html: str, width: int, kind: Mapping[str, Any]) -> bytes:
        self._ask("Emulation.setScriptExecutionDisabled", value=True)
        self._ask("Network.enable")
        self._ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=100, deviceScaleFactor=1, mobile=False)
        frame = self._ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._ask("Page.setDocumentContent", frameId=frame, html=html)
        # Ours, not the page's: pictures that a mail brings along take a moment to be there.
        self._ask("Runtime.evaluate", expression=_ALL_THERE, awaitPromise=True)
        height = self._ask("Page.getLayoutMetrics")["cssContentSize"]["height"]
        clip = {"x": 0, "y": 0, "width": width, "height": min(max(1, height), _TALLEST), "scale": 1}
        taken = self._ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True, **kind)
        return base64.b64decode(taken["data"])

    def close(self) -> None:
        """Let the browser end by itself, so that it tidies up."""
        self._ask("Browser.close")

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._last += 1
        question: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session is not None:
            question["sessionId"] = self._session
        try:
            self._to.write(json.dumps(question).encode() + b"\0")
            self._to.flush()
        except OSError as error:
            raise CameraError from error
        until = time.monotonic() + _PATIENCE
        while True:
            said = self._next(until)
            if said.get("id") == self._last:
                if "error" in said:
                    raise CameraError(f"Chromium: {said['error'].get('message')}")
                return said["result"]

    def _next(self, until: float) -> Any:
        """The next thing Chromium says."""
        while b"\0" not in self._rest:
            if not select.select([self._from], [], [], max(0.0, until - time.monotonic()))[0]:
                raise CameraError
            more = os.read(self._from.fileno(), 1 << 20)
            if not more:
                raise CameraError
            self._rest += more
        said, _nul, self._rest = self._rest.partition(b"\0")
        return json.loads(said)

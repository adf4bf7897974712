"""The outside world as one process of its own: `python -m tests.faults.outside FOLDER` serves HTTP and SMTP.

Its first line of output names both ports. `POST /control` with manners begins anew: a new seed, an empty record, a
tally at nothing. `GET /control` tells where the record lies and what was counted.
"""

import asyncio
import ctypes
import json
import signal
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.description import DESCRIPTION
from tests.faults.manners import Manners
from tests.faults.record import Record
from tests.faults.sendgrid import SendGrid, serve_connection
from tests.faults.smtp import MailServer


class Outside:
    """Both servers, and what they were told last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0
        self.sendgrid, self.mail = self._open(Manners())

    def begin(self, manners: Manners) -> None:
        """Forget everything and behave as told."""
        self.sendgrid.news.stop()
        self.sendgrid.record.close()
        self.sendgrid, self.mail = self._open(manners)

    def _open(self, manners: Manners) -> tuple[SendGrid, MailServer]:
        self._runs += 1
        self.tally: Counter[str] = Counter()
        record = Record(self._folder / f"accepted-{self._runs}.jsonl")
        return SendGrid(manners, record, self.tally), MailServer(manners, record, self.tally)

    def control(self, told: dict[str, Any] | None) -> dict[str, Any]:
        """Begin anew as told, or change only what `"change"` names; say how things stand."""
        if told and "change" in told:
            current = asdict(self.sendgrid.manners) | told["change"]
            manners = Manners.of(current)
            self.sendgrid.manners = self.mail.manners = manners
            for weather in (self.sendgrid.weather, self.mail.weather):
                weather.victims |= told["change"].get("victims", {})
        elif told is not None:
            self.begin(Manners.of(told))
        return {
            "record": str(self.sendgrid.record.path),
            "tally": dict(self.tally),
            "key": self.sendgrid.news.public_key,
            "checked": DESCRIPTION.exists(),
        }


async def _serve(folder: Path) -> None:
    world = Outside(folder)
    web = await asyncio.start_server(lambda r, w: serve_connection(world, r, w), "127.0.0.1", 0, limit=1 << 22)
    post = await asyncio.start_server(lambda r, w: world.mail.serve(r, w), "127.0.0.1", 0, limit=1 << 22)
    ports = {"http": web.sockets[0].getsockname()[1], "smtp": post.sockets[0].getsockname()[1]}
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(web.serve_forever(), post.serve_forever())


if __name__ == "__main__":
    # Whoever started it may be killed: it must not stay behind.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    asyncio.run(_serve(Path(sys.argv[1])))

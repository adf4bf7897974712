"""`esp: file` writes each mail to outbox/<date>/<time>-<email>-<attempt>.eml, which any mail client opens."""

import os
import re
from pathlib import Path

from leadflow.email.mime import write_message
from leadflow.errors import RetryableError
from leadflow.ports import Outgoing
from leadflow.settings import Settings


class FileProvider:
    """Accepts a mail by writing it down; sending an attempt again finds its file and changes nothing."""

    name = "file"
    in_flight = 1

    def __init__(self, outbox: Path) -> None:
        self._outbox = outbox

    async def send(self, mail: Outgoing) -> str:
        """The file's name below the outbox; it is whole and on the disk when this returns."""
        file = f"{mail.send_at:%H%M}-{_safe(mail.email)}-{_safe(mail.attempt_id)}.eml"
        relative = Path(f"{mail.send_at:%Y-%m-%d}") / file
        path = self._outbox / relative
        content = write_message(mail)
        if not path.exists():
            mail.refuse_when_stale()
            try:
                _write(path, content)
            except OSError as error:
                raise RetryableError(f"the outbox cannot be written: {error.strerror}") from error
        return relative.as_posix()

    async def close(self) -> None:
        """Nothing is kept open."""


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # The name must survive a power cut as well as the bytes.
        os.fsync(folder)
    finally:
        os.close(folder)


def _safe(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", word)


def open(settings: Settings) -> FileProvider:
    """The adapter that writes below the workspace's outbox."""
    return FileProvider(settings.outbox)

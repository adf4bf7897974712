"""What the provider accepted, on disk before anybody hears of it: the truth that the database is compared with."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One mail the provider will deliver."""

    message: int
    attempt: str
    to: str
    subject: str
    sender: str
    #: The provider's own id of the request.
    id: str
    #: Of the provider's clock, in seconds.
    at: float


class Record:
    """A file of accepted mails, a line each, appended before the answer; it survives whoever sent them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Accepted] = []
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_TRUNC)

    def accept(self, *, attempt: str, message: int, to: str, subject: str, sender: str) -> Accepted:
        """Write one down; its id is new, also where the same mail comes again."""
        number = f"sg{len(self.rows):06d}{os.urandom(4).hex()}"
        row = Accepted(
            message=message, attempt=attempt, to=to, subject=subject, sender=sender, id=number, at=time.time()
        )
        os.write(self._file, json.dumps(asdict(row)).encode() + b"\n")
        self.rows.append(row)
        return row

    def close(self) -> None:
        """Close the file; the lines stay."""
        os.close(self._file)


def read_record(path: Path) -> Sequence[Accepted]:
    """All that was accepted, in its order."""
    return [Accepted(**json.loads(line)) for line in path.read_bytes().splitlines()]

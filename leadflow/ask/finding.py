"""What a look over a workspace finds: each thing looked at, how bad it is, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    #: Somebody should look.
    NOTE = "note"
    #: Something has to be done.
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: what was found, and what to do where something is to be done."""

    check: str
    level: Level = Level.OK
    says: str
    do: str = ""


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check=check, says=says)


def note(check: str, says: str, do: str) -> Finding:
    """Somebody should look."""
    return Finding(check=check, level=Level.NOTE, says=says, do=do)


def wrong(check: str, says: str, do: str) -> Finding:
    """Something has to be done."""
    return Finding(check=check, level=Level.WRONG, says=says, do=do)

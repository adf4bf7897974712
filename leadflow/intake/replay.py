"""`leadflow event` and `leadflow replay FILE.jsonl`: acts are stored as they came, for the next sweep."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from leadflow.errors import InputError, LeadflowError
from leadflow.intake.acts import ActReader
from leadflow.intake.events import BATCH
from leadflow.intake.person import PersonReader
from leadflow.models import intake
from leadflow.playbook.model import Playbook
from leadflow.text import _

#: What a SendGrid event has and an act has not.
_PROVIDER = "sg_event_id"
_LARGEST_FILE = 512 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Replayed:
    """Every line of a file, counted once."""

    lines: int = 0
    acts: int = 0
    provider_events: int = 0
    rejected: int = 0
    #: (line, reason)
    first_rejected: list[tuple[int, str]] = field(default_factory=list)


def act_reader(playbook: Playbook) -> ActReader:
    """Reads acts in the words of `playbook`, bare dates in office time."""
    zone = ZoneInfo(playbook.office.zone)
    return ActReader(playbook=playbook, people=PersonReader(fields=playbook.fields, zone=zone))


def store_act(engine: Engine, playbook: Playbook, told: dict[str, Any], *, now: datetime) -> None:
    """Keep one act for the next sweep; ActError when it tells of none."""
    body = json.dumps(told, ensure_ascii=False).encode()
    act_reader(playbook).read(body, now)
    with Session(engine) as session, session.begin():
        session.execute(insert(intake), [{"kind": "event", "received_at": now, "body": body}])


def replay_file(
    engine: Engine,
    playbook: Playbook,
    path: Path,
    *,
    now: datetime,
    progress: Callable[[int], None] = lambda _done: None,
) -> Replayed:
    """Keep the acts and provider events of `path`, a line each; a bad line is counted with its reason and left out."""
    reader, counted = act_reader(playbook), Replayed()
    waiting: list[dict[str, Any]] = []
    done = 0
    for number, raw in _lines(path):
        done += len(raw)
        counted.lines += 1
        try:
            kind, body, events = _kept(raw, reader, now)
        except LeadflowError as error:
            counted.rejected += 1
            if len(counted.first_rejected) < 20:
                counted.first_rejected.append((number, str(error)))
            continue
        counted.provider_events += events
        counted.acts += not events
        waiting.append({"kind": kind, "received_at": now, "body": body})
        if len(waiting) == BATCH:
            _store(engine, waiting)
            progress(done)
    _store(engine, waiting)
    return counted


def _store(engine: Engine, waiting: list[dict[str, Any]]) -> None:
    if waiting:
        with Session(engine) as session, session.begin():
            session.execute(insert(intake), waiting)
        waiting.clear()


def _kept(raw: bytes, reader: ActReader, now: datetime) -> tuple[str, bytes, int]:
    """(kind, body, provider events) of one line."""
    provider = _provider_events(raw)
    if provider is not None:
        return "sendgrid", json.dumps(provider).encode(), len(provider)
    reader.read(raw, now)
    return "replay", raw.strip(), 0


def _provider_events(raw: bytes) -> list[Any] | None:
    """The entries of a SendGrid payload; None for anything else."""
    if _PROVIDER.encode() not in raw:
        return None
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    entries = told if isinstance(told, list) else [told]
    return entries if all(isinstance(entry, dict) and _PROVIDER in entry for entry in entries) else None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each line that says something; a file that is one JSON array gives one line an element."""
    try:
        with path.open("rb") as file:
            head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
            file.seek(0)
            if head.startswith(b"[") and not _is_whole_line(path):
                yield from _elements(path)
                return
            for number, raw in enumerate(file, start=1):
                line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
                if line.strip():
                    yield number, line
    except OSError as error:
        words = _("{file}: the file cannot be opened ({reason})")
        raise InputError(words.format(file=path.name, reason=error.strerror)) from None


def _is_whole_line(path: Path) -> bool:
    """Whether the first line is a JSON value of its own, as a provider's POST is."""
    with path.open("rb") as file:
        try:
            json.loads(file.readline())
        except (ValueError, RecursionError):
            return False
    return True


def _elements(path: Path) -> Iterator[tuple[int, bytes]]:
    if path.stat().st_size > _LARGEST_FILE:
        words = _("{file}: one array of this size cannot be read: write an object a line")
        raise InputError(words.format(file=path.name))
    try:
        told = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        raise InputError(f"{path.name}:{line}:{column}  " + _("this is no JSON")) from None
    for number, element in enumerate(told, start=1):
        yield number, json.dumps(element, ensure_ascii=False).encode("utf-8", "surrogatepass")

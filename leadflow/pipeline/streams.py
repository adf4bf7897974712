"""Brakes of a stream, which is the mail of one purpose: what readers and their providers say of it stops it by itself.

A bounce that the sender caused says nothing about the person: it counts here, and suppresses nobody.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.models import event, message, pause
from leadflow.pipeline.pauses import pause_mail
from leadflow.playbook.model import Brakes, Playbook
from leadflow.types import Delivery, MessageState, Purpose, micros

#: Of a share: hundredths of a percent.
_WHOLE = 10_000
#: One reader who complains says nothing of a stream, though of fewer than 1,000 mails it is over 0.1 %.
_FEWEST = 2
ALL, STREAM = "all", "stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of some mails that left: complaints, hard bounces, and those refused for the sender's sake."""

    sent: int = 0
    complaints: int = 0
    bounces: int = 0
    refusals: int = 0

    def share(self, n: int) -> int:
        """Hundredths of a percent that `n` is of what was sent."""
        return n * _WHOLE // self.sent if self.sent else 0

    def __add__(self, other: "Heard") -> "Heard":
        return Heard(
            sent=self.sent + other.sent,
            complaints=self.complaints + other.complaints,
            bounces=self.bounces + other.bounces,
            refusals=self.refusals + other.refusals,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Braked:
    """What is too much, and of what: a stream, or all mail ('')."""

    stream: str
    #: complaint, bounce or refusal.
    what: str
    #: Hundredths of a percent.
    share: int

    @property
    def by(self) -> str:
        """Who pauses: `complaint brake 0.14 %`."""
        return f"{self.what} brake {self.share / 100:g} %"


def brake_streams(session: Session, playbook: Playbook, now: datetime) -> Sequence[Braked]:
    """Pause what has gone too far, unless it is paused already; the pauses that are new."""
    brakes = playbook.delivery.brakes
    found = too_much(brakes, heard_of_streams(session, brakes, now))
    return [one for one in found if _pause(session, playbook, now, one)]


def too_much(brakes: Brakes, heard: Mapping[str, Heard]) -> list[Braked]:
    """The streams that must stop, all mail first; too few mails say nothing."""
    judged = {name: one for name, one in heard.items() if one.sent >= brakes.at_least}
    total = sum(heard.values(), Heard())
    together = [*judged.values(), *([total] if total.sent >= brakes.at_least else [])]
    worst = max(together, key=lambda one: one.complaints / one.sent, default=Heard())
    found = []
    if _reaches(worst, worst.complaints, brakes.complaints_all):
        found.append(Braked(stream="", what="complaint", share=worst.share(worst.complaints)))
    for name, one in sorted(judged.items()):
        found += [Braked(stream=name, what=what, share=one.share(n)) for what, n in _limits(brakes, one)]
    return found


def bouncing(brakes: Brakes, heard: Mapping[str, Heard]) -> Mapping[str, int]:
    """Streams whose hard bounces somebody should be told of → their share."""
    told = {name: one.share(one.bounces) for name, one in heard.items() if one.sent >= brakes.at_least}
    return {name: share for name, share in told.items() if share >= brakes.bounces_told}


def _reaches(one: Heard, n: int, limit: int) -> bool:
    return n >= _FEWEST and n * _WHOLE >= limit * one.sent


def _limits(brakes: Brakes, one: Heard) -> Iterator[tuple[str, int]]:
    for what, n, limit in (
        ("complaint", one.complaints, brakes.complaints),
        ("bounce", one.bounces, brakes.bounces),
        ("refusal", one.refusals, brakes.refusals),
    ):
        if _reaches(one, n, limit):
            yield what, n
            return


def heard_of_streams(session: Session, brakes: Brakes, now: datetime) -> Mapping[str, Heard]:
    """Stream → what was heard of its mails of the last days, or since somebody let it go on."""
    begun = _begun(session, micros(now) - brakes.over)
    mine = [and_(message.c.purpose == purpose, message.c.send_at >= since) for purpose, since in begun.items()]
    return heard_of(session, or_(*mine), since=min(begun.values()), until=micros(now))


def heard_of(session: Session, which: ColumnElement[bool], *, since: int, until: int) -> Mapping[str, Heard]:
    """Stream → what was heard of those of its mails that were to leave between these instants and are `which`."""
    rows = session.execute(_tally(which, since, until))
    return {
        row.purpose: Heard(sent=row.sent, complaints=row.complaints, bounces=row.bounces, refusals=row.refusals)
        for row in rows
    }


def _tally(which: ColumnElement[bool], since: int, until: int) -> Select[Any]:
    blocked = (
        select(event.c.message_id)
        .where(event.c.kind == "email_blocked", event.c.occurred_at >= since, event.c.message_id.is_not(None))
        .where(event.c.properties["hardness"].as_string().is_(None))
        .distinct()
        .subquery("blocked")
    )
    columns = {
        "complaints": message.c.delivery == Delivery.COMPLAINED,
        "bounces": message.c.delivery == Delivery.BOUNCED,
        "refusals": blocked.c.message_id.is_not(None),
    }
    return (
        select(message.c.purpose, func.count().label("sent"))
        .add_columns(*(func.count(case((said, 1))).label(name) for name, said in columns.items()))
        .select_from(message.outerjoin(blocked, blocked.c.message_id == message.c.id))
        .where(message.c.state.in_([MessageState.ACCEPTED, MessageState.UNKNOWN]))
        .where(message.c.send_at >= since, message.c.send_at <= until, which)
        .group_by(message.c.purpose)
    )


def _begun(session: Session, since: int) -> Mapping[str, int]:
    """Purpose → from when on its mails count: old numbers do not stop again what somebody has let go on."""
    ended = select(pause.c.kind, pause.c.name, type_coerce(func.max(pause.c.ended_at), BigInteger).label("at"))
    rows = session.execute(ended.where(pause.c.kind.in_([ALL, STREAM])).group_by(pause.c.kind, pause.c.name)).all()
    last = {(row.kind, row.name): row.at or 0 for row in rows}
    return {str(p): max(since, last.get((ALL, ""), 0), last.get((STREAM, str(p)), 0)) for p in Purpose}


def _pause(session: Session, playbook: Playbook, now: datetime, one: Braked) -> bool:
    kind = STREAM if one.stream else ALL
    return pause_mail(session, playbook, now, kind=kind, name=one.stream, by=one.by)

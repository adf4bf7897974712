"""A night's first mails leave alone; the others follow when what was heard of those is no worse than usual."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Row, Select, and_, func, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.eligibility import held
from leadflow.models import canary, hold, message
from leadflow.pipeline.scope import in_scope
from leadflow.pipeline.streams import Heard, heard_of
from leadflow.playbook.model import Canary, Playbook
from leadflow.types import MessageState, Reason, Scope, instant_of, micros

PASSED, FAILED = "passed", "failed"
#: The rule that a hold names.
RULE = "canary"
_LEFT = (MessageState.CLAIMED, MessageState.SENDING, MessageState.ACCEPTED, MessageState.UNKNOWN)
_REFUSED = message.c.reason == Reason.REFUSED
#: Seconds for which a run knows which nights are due.
_KNOWN = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flock:
    """Which nights may leave: all but these, or so many mails of this one only."""

    shut: Sequence[int] = ()
    first: int | None = None
    left: int = 0

    @property
    def only(self) -> ColumnElement[bool] | None:
        """The condition over message; None for any."""
        if self.first is not None:
            return message.c.planned_at == self.first
        return message.c.planned_at.not_in(self.shut) if self.shut else None


@dataclass(slots=True, kw_only=True)
class Nights:
    """The nights of which mails are due, as one run of delivery at `now` lets them go."""

    playbook: Playbook
    now: datetime
    scope: Scope
    _due: list[int] = field(default_factory=list)
    _asked: float = -_KNOWN
    #: Those that need not be asked about again; those of which this run finds no first mail to send.
    _free: set[int] = field(default_factory=set)
    _idle: set[int] = field(default_factory=set)

    def flock(self, session: Session, rule: Canary) -> Flock:
        """Look at each night under a lock, so that no two workers send the same first mails twice over."""
        if time.monotonic() - self._asked >= _KNOWN:
            self._asked, self._due = time.monotonic(), list(session.scalars(_due_nights(self.now, self.scope)))
        nights = [at for at in self._due if at not in self._free]
        if not nights:
            return Flock()
        self._begin(session, rule, nights)
        shut = []
        for row in session.execute(_standing(nights)).all():
            left = 0 if row.at in self._idle else self._left(session, rule, row)
            if left is None:
                self._free.add(row.at)
            elif left:
                return Flock(first=row.at, left=left)
            else:
                shut.append(row.at)
        return Flock(shut=shut)

    def none_of(self, night: int) -> None:
        """This run found none of its first mails to take."""
        self._idle.add(night)

    def _begin(self, session: Session, rule: Canary, nights: Sequence[int]) -> None:
        """INSERT canary for the nights that have none; a small one has nobody left to wait."""
        known = set(session.scalars(select(type_coerce(canary.c.at, BigInteger)).where(canary.c.at.in_(nights))))
        new = [at for at in nights if at not in known]
        if not new:
            return
        rows = []
        for at, mails in session.execute(_mails_of(new)):
            size = max(rule.first, -(-mails * rule.share // 100))
            rows.append({"at": at, "size": size, "verdict": PASSED if mails <= size else None})
        session.execute(insert_into(session, canary).on_conflict_do_nothing(), rows)

    def _left(self, session: Session, rule: Canary, row: Row[Any]) -> int | None:
        """How many of its first mails may leave now; None when all may."""
        if row.verdict is not None:
            return None
        left = int(row.size) - (session.scalar(_gone(row.at)) or 0)
        if left > 0:
            # Also when somebody died with some of them: what comes back is one of the first again.
            self._set(session, row.at, listens_until=None)
            return left
        if row.listens_until is None:
            self._set(session, row.at, listens_until=micros(self.now) + rule.wait)
            return 0
        if row.listens_until > micros(self.now):
            return 0
        return self._judge(session, row.at)

    def _judge(self, session: Session, at: int) -> int | None:
        brakes = self.playbook.delivery.brakes
        mine = message.c.planned_at == at
        heard = sum(heard_of(session, mine, since=at, until=micros(self.now)).values(), Heard())
        refused = session.scalar(_refused(at)) or 0
        sent = heard.sent + refused
        bad = heard.bounces + heard.refusals + refused
        if heard.complaints or bad * 10_000 >= brakes.bounces * max(sent, 1):
            self._set(session, at, verdict=FAILED)
            self._hold(session, at)
            return 0
        self._set(session, at, verdict=PASSED)
        return None

    def _set(self, session: Session, at: int, **values: object) -> None:
        changed = or_(*(canary.c[name].is_distinct_from(value) for name, value in values.items()))
        session.execute(update(canary).where(canary.c.at == at, changed).values(**values))

    def _hold(self, session: Session, at: int) -> None:
        """INSERT hold: the rest of the night waits for `leadflow approve`, as one that tripped the brake."""
        mails = session.scalar(_mails_of([at]).with_only_columns(func.count())) or 0
        night = f"{instant_of(at).astimezone(ZoneInfo(self.playbook.office.zone)):%Y-%m-%d}"
        told = {"night": night, "rule": RULE, "what": "mails", "mails": mails, "handovers": 0}
        again = told | {"answer": None, "answered_at": None, "answered_by": None}
        add = insert_into(session, hold).values(at=at, **told)
        session.execute(add.on_conflict_do_update(index_elements=[hold.c.at], set_=again))


def _due_nights(now: datetime, scope: Scope) -> Select[tuple[int]]:
    planned = type_coerce(message.c.planned_at, BigInteger)
    due = (message.c.state == MessageState.PLANNED, message.c.send_at <= micros(now), ~held(message.c.planned_at))
    return select(planned).where(*due, in_scope(message.c.lead_id, scope)).distinct().order_by(planned)


def _mails_of(nights: Sequence[int]) -> Select[Any]:
    """(night, its mails) but for those that we chose not to send."""
    planned = type_coerce(message.c.planned_at, BigInteger).label("at")
    return (
        select(planned, func.count())
        .where(message.c.state.in_([state for state in MessageState if state != MessageState.SUPPRESSED]))
        .where(message.c.send_at >= min(nights), message.c.planned_at.in_(nights))
        .group_by(message.c.planned_at)
    )


def _standing(nights: Sequence[int]) -> Select[Any]:
    """Their rows, locked in one order by whoever looks."""
    at, until = type_coerce(canary.c.at, BigInteger), type_coerce(canary.c.listens_until, BigInteger)
    return (
        select(at.label("at"), canary.c.size, until.label("listens_until"), canary.c.verdict)
        .where(canary.c.at.in_(nights))
        .order_by(canary.c.at)
        .with_for_update()
    )


def _gone(at: int) -> Select[tuple[int]]:
    """How many of a night are on their way or have left; those that the provider refused have tried."""
    which = or_(message.c.state.in_(_LEFT), and_(message.c.state == MessageState.FAILED, _REFUSED))
    states = message.c.state.in_([*_LEFT, MessageState.FAILED])
    return select(func.count()).where(states, message.c.send_at >= at, message.c.planned_at == at, which)


def _refused(at: int) -> Select[tuple[int]]:
    which = (message.c.state == MessageState.FAILED, message.c.send_at >= at, message.c.planned_at == at)
    return select(func.count()).where(*which, _REFUSED)

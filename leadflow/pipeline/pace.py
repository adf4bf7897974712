"""How much of what is due one run may take: what all workers together have decided in the database."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from secrets import token_hex
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, exists, func, literal
from sqlalchemy.orm import Session

from leadflow.errors import (
    BuildError,
    OutageError,
    RefusedError,
    RetryableError,
    StaleError,
    UnsupportedFeatureError,
)
from leadflow.models import lead, message
from leadflow.pipeline.breaker import Breaker
from leadflow.pipeline.buckets import TOKEN, at_a_rate, give_back, take
from leadflow.pipeline.budget import budget_of
from leadflow.pipeline.canary import Flock, Nights
from leadflow.pipeline.deliver_gate import Room, Taken
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE, Scope

#: In the place of a domain: all those that the playbook does not name.
OTHERS = "others"
#: Claims are of so many parts of a second's tokens: few at a high rate, no burst at a low one.
_CLAIMS_A_SECOND = 5
#: Seconds for which a run waits, for a token or for the provider; beyond, the rest is left to the next run.
_PATIENCE = 60.0
#: Answers of ours, not of the provider: they say nothing of its health.
_OWN = (BuildError, StaleError, UnsupportedFeatureError)


class Halt(StrEnum):
    """Why a delivery run left some of what was due to a later one."""

    #: The provider answers nobody: its breaker is open, or it asked for patience.
    OUTAGE = "outage"
    #: The day's budget of a sending domain that is being warmed up is used up.
    WARM_UP = "warm_up"
    #: A night's first mails are listened to before the others leave.
    CANARY = "canary"
    #: At this rate the next token is minutes away.
    RATE = "rate"


class Pace:
    """The gate of one run: rates, the day's budget, canaries and the provider's health. `halted` says what shut it."""

    def __init__(self, playbook: Playbook, now: datetime, *, provider: str, scope: Scope = EVERYONE) -> None:
        rules = playbook.delivery
        self.halted: Halt | None = None
        self._canary = rules.canary
        self._nights = Nights(playbook=playbook, now=now, scope=scope)
        self._breaker = Breaker(provider, token_hex(8), rules.outage)
        self._rate = at_a_rate(provider, rules.rate) if rules.rate else None
        self._domains = {name: at_a_rate(f"to {name}", rate) for name, rate in rules.domains.items()}
        day = now.astimezone(ZoneInfo(playbook.office.zone)).date()
        self._budget = budget_of(rules.warm_up, day) if rules.warm_up else None
        #: Domain → when it is worth asking for its tokens again; when the provider is.
        self._dry: dict[str, float] = {}
        self._not_before, self._outages = 0.0, 0
        #: Of the last answer to `room`.
        self._granted, self._flock = 0, Flock()

    def room(self, session: Session, wanted: int) -> Room:
        """How many of `wanted` may be claimed, and which; their tokens are taken."""
        self.halted, self._granted = None, 0
        wait = self._not_before - time.monotonic()
        if wait > 0:
            return self._later(wait, Halt.OUTAGE)
        if not self._breaker.ask(session):
            return self._later(None, Halt.OUTAGE)
        # After an outage one mail will do to see whether it is over.
        alone = self._breaker.is_probing or self._outages > 0
        self._flock = self._nights.flock(session, self._canary) if self._canary else Flock()
        if self._flock.shut:
            self.halted = Halt.CANARY
        n = 1 if alone else wanted
        room = self._tokens(session, n if self._flock.first is None else min(n, self._flock.left))
        if not room.n:
            self._breaker.let_go(session)
            return room
        self._granted = room.n
        return Room(n=room.n, only=self._only(), alone=alone)

    def took(self, session: Session, taken: Sequence[Taken]) -> Collection[int]:
        """Ids beyond the rates of their domains, which go back; tokens of what was not claimed go back too."""
        back = self._beyond(session, taken) if self._domains else []
        kept = len(taken) - len(back)
        self.unused(session, self._granted - kept)
        if not taken and self._flock.first is not None:
            self._nights.none_of(self._flock.first)
        if not kept:
            self._breaker.let_go(session)
        return back

    def look_again(self) -> float | None:
        """When there may be something else: of other nights, or for a domain that has tokens again."""
        if self._flock.first is not None:
            return 0.0
        return max(min(self._dry.values()) - time.monotonic(), 0.0) if self._dry else None

    def unused(self, session: Session, n: int) -> None:
        """Of so many messages that were claimed, none was handed to the provider: their tokens are there again."""
        for bucket in (self._rate, self._budget):
            if bucket is not None:
                give_back(session, bucket, n)

    def may_go_on(self) -> bool:
        """Whether the next mail in hand may leave: not while the provider asks for patience."""
        return time.monotonic() >= self._not_before and not self._breaker.is_tripped

    def note(self, error: Exception | None) -> None:
        """An answer: a refusal is one of a provider that works, an answer nobody can read is none."""
        if isinstance(error, _OWN):
            return
        if error is None or (isinstance(error, RefusedError | RetryableError) and not isinstance(error, OutageError)):
            self._outages = 0
            self._breaker.note(None)
            return
        asked = error.retry_after if isinstance(error, OutageError) else None
        self._breaker.note(str(error) if isinstance(error, OutageError) else type(error).__name__, asked)
        if isinstance(error, OutageError) and self.may_go_on():
            self._outages += 1
            self._not_before = time.monotonic() + (asked or min(2.0**self._outages, _PATIENCE) / 2)

    def tell(self, session: Session) -> None:
        """Let the other workers know of the provider's health."""
        self._breaker.tell(session)

    def _later(self, wait: float | None, why: Halt) -> Room:
        patient = wait is not None and wait <= _PATIENCE
        self.halted = None if patient else why
        return Room(n=0, wait=wait if patient else None)

    def _tokens(self, session: Session, n: int) -> Room:
        """Up to `n` tokens of the rate and of the day."""
        if self._rate is not None:
            rated = take(session, self._rate, n, max(self._rate.size // _CLAIMS_A_SECOND, 1))
            if not rated.n:
                return self._later(rated.wait, Halt.RATE)
            n = rated.n
        if self._budget is None:
            return Room(n=n)
        left = take(session, self._budget, n).n
        if self._rate is not None:
            give_back(session, self._rate, n - left)
        return Room(n=left) if left else self._later(None, Halt.WARM_UP)

    def _beyond(self, session: Session, taken: Sequence[Taken]) -> list[int]:
        by_bucket: dict[str, list[int]] = {}
        for one in taken:
            by_bucket.setdefault(one.domain if one.domain in self._domains else OTHERS, []).append(one.id)
        back: list[int] = []
        # In one order, so that no two workers wait for each other.
        for name in sorted(by_bucket.keys() & self._domains.keys()):
            bucket, ids = self._domains[name], by_bucket[name]
            got = take(session, bucket, len(ids))
            if got.n < len(ids):
                back += ids[got.n :]
                few = max(bucket.size // _CLAIMS_A_SECOND, 1)
                self._dry[name] = time.monotonic() + max(got.wait, bucket.seconds(few * TOKEN))
        return back

    def _only(self) -> ColumnElement[bool] | None:
        """Over message: of the nights that may leave, and to no domain whose tokens are all taken."""
        self._dry = {name: until for name, until in self._dry.items() if until > time.monotonic()}
        wanted = [self._flock.only, ~self._goes_to(self._dry) if self._dry else None]
        parts = [part for part in wanted if part is not None]
        return and_(*parts) if parts else None

    def _goes_to(self, names: Mapping[str, float]) -> ColumnElement[bool]:
        domain = func.coalesce(lead.c.email_domain, "")
        named = sorted(self._domains.keys() - {OTHERS})
        bucket = case((domain.in_(named), domain), else_=literal(OTHERS))
        return exists().where(lead.c.id == message.c.lead_id, bucket.in_(sorted(names))).correlate(message)

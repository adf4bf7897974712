"""The vocabularies and small values every layer shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970-01-01T00:00Z of an aware `instant`; ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime names no instant: give it a time zone")
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant_of(value: int) -> datetime:
    """The aware UTC datetime of `value` microseconds since the epoch; the inverse of `micros`."""
    return _EPOCH + timedelta(microseconds=value)


def month_of(instant: datetime) -> int:
    """Year and month of `instant` in UTC, 202603: the partition a row of it belongs to."""
    utc = instant.astimezone(UTC)
    return utc.year * 100 + utc.month


class Everyone:
    """The scope of a nightly sweep: all leads."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "everyone"


@dataclass(frozen=True, slots=True)
class Leads:
    """The scope of the fast lane: a bounded set of lead ids (at most 500)."""

    ids: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.ids) > 500:
            raise ValueError("a scope of leads holds at most 500 ids")


Scope = Everyone | Leads
EVERYONE = Everyone()


class Phase(StrEnum):
    """The phases of a sweep, in their order."""

    CAPTURE = "capture"
    ENGAGE = "engage"
    SCORE = "score"
    STAGE = "stage"
    SEGMENT = "segment"
    ESCALATE = "escalate"
    NURTURE = "nurture"
    DELIVER = "deliver"


class Lifecycle(StrEnum):
    LEAD = "lead"
    PROSPECT = "prospect"
    CUSTOMER = "customer"
    DISQUALIFIED = "disqualified"


class Purpose(StrEnum):
    NURTURE = "nurture"
    NEWSLETTER = "newsletter"
    #: Never counted by the pressure rules and never held by them.
    SERVICE = "service"
    SALES = "sales"


class Basis(StrEnum):
    """The lawful basis to write to a person."""

    CONSENT = "consent"
    LEGITIMATE_INTEREST = "legitimate_interest"
    CUSTOMER = "customer"


class Audience(StrEnum):
    B2B = "b2b"
    B2C = "b2c"


class MessageState(StrEnum):
    PLANNED = "planned"
    CLAIMED = "claimed"
    #: The intent is committed; only an answer or reconciliation moves it on.
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    #: May have been sent; counts as sent for pressure and choice.
    UNKNOWN = "unknown"


IN_FLIGHT = (MessageState.PLANNED, MessageState.CLAIMED, MessageState.SENDING)
#: What counts against `again_after` and against the pressure caps.
COUNTS_AS_RECEIVED = (*IN_FLIGHT, MessageState.ACCEPTED, MessageState.UNKNOWN)


class Delivery(StrEnum):
    """What became of an accepted message, weakest news first; a later word never loses to an earlier one."""

    PROCESSED = "processed"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BLOCKED = "blocked"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"

    @property
    def rank(self) -> int:
        """Place in the precedence lattice; news only ever moves a message to a higher rank."""
        return list(Delivery).index(self)


class Suppressed(StrEnum):
    """Why an address must not be mailed."""

    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    INVALID = "invalid"
    OBJECTED = "objected"


#: What a person's own click takes them off: their own no, never a bounce or a complaint.
OWN_NO = (Suppressed.UNSUBSCRIBED, Suppressed.OBJECTED)


class EnrolmentState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    #: Stands on a step that no file names any more.
    PARKED = "parked"
    ENDED = "ended"


class EnrolmentEnd(StrEnum):
    FINISHED = "finished"
    EXITED = "exited"
    GOAL = "goal"
    #: A further sequence of the same track took over.
    HANDED_ON = "handed_on"
    UNMATCHED = "unmatched"
    CUSTOMER = "customer"
    DISQUALIFIED = "disqualified"
    NO_MAIL_LEFT = "no_mail_left"
    STEP_FAILED = "step_failed"
    #: The person answered one of its mails.
    REPLIED = "replied"


class Reason(StrEnum):
    """Why somebody gets no mail, or a message did not leave. One enumeration for decisions, verdicts and messages."""

    #: The next step is a wait or its time has not come.
    NOT_DUE = "not_due"
    FINISHED = "finished"
    #: Matches no sequence that is live.
    NO_SEQUENCE = "no_sequence"
    #: The ramp of a sequence gone live has no place tonight.
    RAMP = "ramp"
    #: Not the first candidate of the address tonight, or one message is in flight.
    OUTRANKED = "outranked"
    PRESSURE = "pressure"
    WINDOW = "window"
    PAUSED = "paused"
    PARKED = "parked"
    WITH_SALES = "with_sales"
    RESTING = "resting"
    CUSTOMER = "customer"
    DISQUALIFIED = "disqualified"
    NEVER_LIST = "never_list"
    OPEN_DEAL = "open_deal"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    INVALID_ADDRESS = "invalid_address"
    OBJECTED = "objected"
    NO_ADDRESS = "no_address"
    NO_BASIS = "no_basis"
    #: The reader asked for a pause, or declined the topic.
    PREFERENCE = "preference"
    NO_MAIL_FLAG = "no_mail_flag"
    NO_MAIL_LEFT = "no_mail_left"
    ALREADY_RECEIVED = "already_received"
    MISSING_FIELD = "missing_field"
    EXPIRED = "expired"
    EXITED = "exited"
    RENDER_FAILED = "render_failed"
    REFUSED = "refused"
    #: Cut off between intent and answer; nobody can say whether it left.
    UNKNOWN_OUTCOME = "unknown_outcome"


class Click(StrEnum):
    """Who clicked, as named rules judge it."""

    HUMAN = "human"
    UNKNOWN = "unknown"
    MACHINE = "machine"


#: Hundredths: how much an event weighs in the engagement score.
CLICK_WEIGHT: Mapping[Click, int] = {Click.HUMAN: 100, Click.UNKNOWN: 30, Click.MACHINE: 0}
FULL_WEIGHT = 100


class Answer(StrEnum):
    """What a salesperson says to a hand-over."""

    ACCEPT = "accept"
    LATER = "later"
    REJECT = "reject"
    WON = "won"
    LOST = "lost"


class EscalationState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    LATER = "later"
    REJECTED = "rejected"
    WON = "won"
    LOST = "lost"
    #: Nobody answered for `no_answer.after`.
    LAPSED = "lapsed"
    #: It rested on clicks that a machine turned out to have made.
    RECALLED = "recalled"


class JobState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a phase did: rows read, rows changed, further counts by word, people skipped by reason."""

    phase: Phase
    read: int = 0
    changed: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[Reason, int] = field(default_factory=dict)


class SpanKind(StrEnum):
    ELAPSED = "elapsed"
    BUSINESS_DAYS = "business_days"
    BUSINESS_HOURS = "business_hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time people wrote: `48 hours`, `3 business_days`, `4 business_hours`."""

    kind: SpanKind
    #: Microseconds when elapsed, whole days or hours otherwise.
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many in so long: `50 per second`."""

    n: int
    #: Microseconds.
    per: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was written; lines and columns count from 1."""

    file: str = ""
    line: int = 0
    column: int = 0


NOWHERE = Place()

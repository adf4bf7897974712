"""Who writes, to whom never, and how often and when at most."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from leadflow.conditions.tree import Condition
from leadflow.playbook.model.look import Look
from leadflow.types import DAY, HOUR, MINUTE, NOWHERE, Place, Rate, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    name: str
    site: str
    postal_address: str
    #: The first is the fallback.
    languages: tuple[str, ...]
    look: Look = field(default_factory=Look)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    zone: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    name: str
    address: str
    reply_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverRule:
    """Nobody here is mailed or handed over, whatever the rest says."""

    name: str
    when: Condition
    unless_purpose: tuple[str, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `n` counted messages in any `span` microseconds."""

    n: int
    span: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    caps: tuple[Cap, ...]
    defer_at_most: Span
    #: A message planned for later than this waits instead (36 hours).
    horizon: int = 36 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Local wall time; `end <= start` (minutes after midnight) closes on the next day."""

    #: 0 = Monday.
    days: tuple[int, ...]
    start: int
    end: int
    #: lead_country, office or none.
    holidays: str = "lead_country"
    #: Microseconds after opening over which a day's start is spread.
    spread: int = 0
    #: Percent of a queue that may leave in one hour.
    max_share_per_hour: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    sends_over: int | None = None
    times_usual: int | None = None
    handovers_over: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """A new sending domain is trusted slowly: so many mails on the first day, more each day, then as many as come."""

    #: The first day, by the office's calendar.
    since: date
    first_day: int
    #: Percent by which a day may have more than the one before.
    growth: int
    #: A day that may have so many has no limit any more.
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The first mails of a night leave alone; the others when nothing bad was heard of those."""

    first: int = 50
    #: Percent of the night, where that is more than `first`.
    share: int = 2
    #: Microseconds to listen.
    wait: int = 30 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A provider that answers nobody is left in peace, and asked again with one mail."""

    #: Answers in a row that any mail would have got.
    after: int = 5
    #: Microseconds until one mail tries.
    retry_after: int = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Brakes:
    """Shares of a stream's mails, in hundredths of a percent, from which on a worker stops it by itself."""

    #: Complaints that pause the stream, and that stop all mail.
    complaints: int = 10
    complaints_all: int = 30
    #: Hard bounces that are told, and that pause the stream.
    bounces_told: int = 200
    bounces: int = 500
    #: Mails a reader's provider would not take from us, which pause the stream.
    refusals: int = 500
    #: Microseconds looked back.
    over: int = 7 * DAY
    #: Fewer mails than these judge nothing.
    at_least: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How fast and how much mail may leave, of all workers together, and what stops it."""

    rate: Rate | None = None
    #: Domain of the reader's address → its rate; `others` is the rate of all those not named, together.
    domains: Mapping[str, Rate] = field(default_factory=dict)
    #: A mail nobody can tell the fate of: hold (never twice) or resend (never zero).
    on_unknown: str = "hold"
    #: Microseconds after which the provider's log knows what it was given.
    grace: int = 15 * MINUTE
    canary: Canary | None = None
    warm_up: WarmUp | None = None
    outage: Outage = field(default_factory=Outage)
    brakes: Brakes = field(default_factory=Brakes)

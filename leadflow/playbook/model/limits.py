"""Who writes, to whom never, and how often and when at most."""

from dataclasses import dataclass, field

from leadflow.conditions.tree import Condition
from leadflow.types import HOUR, NOWHERE, Place, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    name: str
    site: str
    postal_address: str
    #: The first is the fallback.
    languages: tuple[str, ...]


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

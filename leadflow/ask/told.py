"""What there is to say of one reason: its evidence and its end."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Words, and the instants behind them."""

    #: What the reason rests on: rows and dates.
    evidence: str
    #: When it lifts, or by what.
    lifts: str
    #: The instant at which it lifts of itself; None where somebody has to act.
    lifts_at: datetime | None = None
    #: The caps and the window say when the mail leaves, not when it is planned.
    leaves_then: bool = False
    #: No mail ever leaves again: nothing is to be tried.
    final: bool = False
    #: What happens if it does not lift in time.
    unsent: tuple[str, ...] = ()

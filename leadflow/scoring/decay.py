"""Forward decay in whole numbers: the landmark of a half-life, and what an hour's points have grown to since."""

from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from itertools import accumulate, repeat

from leadflow.types import HOUR, micros

#: Half-lives between a landmark and the next, and from the first hour that still counts to the landmark.
PERIOD = 16
REACH = 20

_FRACTION = 80
_exact = Context(prec=60, rounding=ROUND_HALF_EVEN)


def hour_of(instant: datetime | int) -> int:
    """Whole hours since the epoch."""
    return (instant if isinstance(instant, int) else micros(instant)) // HOUR


def landmark_at(half_life: int, hour: int) -> int:
    """The hour L that sums kept at `hour` refer to."""
    return hour // (PERIOD * half_life) * PERIOD * half_life


def growth_of(half_life: int, hour: int, landmark: int) -> int:
    """round(2^(20 + (hour − landmark) / half_life)), and 0 where the exponent is negative; alike on every machine."""
    doublings, rest = divmod(hour - landmark + REACH * half_life, half_life)
    if doublings < 0:
        return 0
    return ((_roots(half_life)[rest] << doublings) + (1 << _FRACTION - 1)) >> _FRACTION


def growth_rows(half_life: int, hours: range, landmark: int) -> Iterator[dict[str, int]]:
    """Rows of the `growth` table for those of `hours` that still count."""
    first = max(hours.start, landmark - REACH * half_life)
    for hour in range(first, hours.stop):
        yield {"half_life": half_life, "hour": hour, "g": growth_of(half_life, hour, landmark)}


# Decimal, because a libm's power differs in the last bit from machine to machine.
@lru_cache(maxsize=64)
def _roots(half_life: int) -> tuple[int, ...]:
    """2^(i / half_life) for i below `half_life`, as multiples of 2^-80."""
    # Each from the one before: of 60 digits a thousand products lose three or four, and 25 are kept.
    step = _exact.power(Decimal(2), _exact.divide(Decimal(1), Decimal(half_life)))
    roots = accumulate(repeat(step, half_life - 1), _exact.multiply, initial=Decimal(1 << _FRACTION))
    return tuple(int(root.to_integral_value(ROUND_HALF_EVEN)) for root in roots)

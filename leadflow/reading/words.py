"""The small words of a file: the nearest right one, spans of time, wall times, percentages."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from leadflow.text import _
from leadflow.types import DAY, HOUR, MINUTE, SECOND, Rate, Span, SpanKind

_UNITS: dict[str, tuple[SpanKind, int]] = {
    "minute": (SpanKind.ELAPSED, MINUTE),
    "hour": (SpanKind.ELAPSED, HOUR),
    "day": (SpanKind.ELAPSED, DAY),
    "week": (SpanKind.ELAPSED, 7 * DAY),
    "business_day": (SpanKind.BUSINESS_DAYS, 1),
    "business_hour": (SpanKind.BUSINESS_HOURS, 1),
}
UNITS = tuple(f"{unit}s" for unit in _UNITS)
#: What people still read as a list.
_SHORT_LIST = 12
_SPAN = re.compile(r"([0-9]{1,5}) *(business[_ ])?([a-z]+)")
_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_PERCENT = re.compile(r"([0-9]{1,3}) ?%")
_SHARE = re.compile(r"([0-9]{1,2})(?:\.([0-9]{1,2}))? ?%")
_RATE = re.compile(r"([1-9][0-9]{0,5}) +(?:per|a|an) +(second|minute|hour|day)")
_PER = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY}


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word of `words` that `word` was probably meant to be; None when none is near."""
    known = {_folded(known): known for known in sorted(words, reverse=True)}
    near = get_close_matches(_folded(word), known, n=1, cutoff=0.6)
    return known[near[0]] if near else None


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """` Did you mean page_viewed?`, the whole list where nothing is near and it is short, or nothing."""
    known = list(words)
    if near := nearest(word, known):
        return " " + _("Did you mean {word}?").format(word=near)
    return one_of(word, known) if 0 < len(known) <= _SHORT_LIST else ""


def one_of(word: str, words: Iterable[str]) -> str:
    """` One of: retail, public`; the nearest right word where the list is too long to read."""
    known = list(words)
    if 0 < len(known) <= _SHORT_LIST:
        return " " + _("One of: {words}").format(words=", ".join(known))
    return did_you_mean(word, known)


def span_of(text: str) -> Span | None:
    """`3 business_days`, `48 hours`, `1 week`; None when it is no span."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        return None
    unit = ("business_" if found[2] else "") + found[3].removesuffix("s")
    if unit not in _UNITS:
        return None
    kind, size = _UNITS[unit]
    return Span(kind=kind, amount=int(found[1]) * size)


def wall_time_of(text: str) -> int | None:
    """Minutes after midnight of `09:00`; `24:00` is the end of the day; None when it is no time."""
    if text == "24:00":
        return 24 * 60
    found = _WALL_TIME.fullmatch(text)
    return int(found[1]) * 60 + int(found[2]) if found else None


def percent_of(text: str) -> int | None:
    """The whole percent of `20 %`, from 0 to 100; None when it is none."""
    found = _PERCENT.fullmatch(text.strip())
    return int(found[1]) if found and int(found[1]) <= 100 else None


def share_of(text: str) -> int | None:
    """Hundredths of a percent of `0.1 %` (10), below 100 %; None when it is none."""
    found = _SHARE.fullmatch(text.strip())
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else None


def rate_of(text: str) -> Rate | None:
    """`50 per second`, `600 per hour`; None when it is no rate."""
    found = _RATE.fullmatch(text.strip())
    return Rate(n=int(found[1]), per=_PER[found[2]]) if found else None

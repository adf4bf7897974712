"""Numbers as people read them: spaces that do not break, decimal commas in French, `·` where a rate says nothing."""

from datetime import date, timedelta

from leadflow.text import _, current_language, decimal

NOTHING = "·"
NONE = "–"
#: Longer than so many days, decimals tell nothing.
_WEEKS = 21
#: No line breaks between a number and its sign.
_NARROW, _WIDE = "\u202f", "\u00a0"


def whole(n: int) -> str:
    """1,234 or 1 234."""
    grouped = f"{n:,}"
    return grouped.replace(",", _NARROW) if current_language() == "fr" else grouped


def percent(share: float | None, digits: int = 0) -> str:
    """46 %, or `·`."""
    return NOTHING if share is None else f"{decimal(f'{100 * share:.{digits}f}')}{_WIDE}%"


def days(value: float | None) -> str:
    """14 or 2.5 or 14.65: as many decimals as three weeks and less deserve; `·` when nobody got there."""
    if value is None:
        return NOTHING
    return decimal(f"{value:.2f}".rstrip("0").rstrip(".")) if abs(value) < _WEEKS else f"{value:.0f}"


def money(cents: int) -> str:
    """50,000; an amount of nothing is a dash. The workspace's currency has no sign: everybody there knows it."""
    return whole(round(cents / 100)) if cents else NONE


def hours(time: timedelta | None) -> str:
    """6 h 10; a dash where nothing was answered."""
    if time is None:
        return NONE
    minutes = round(time.total_seconds() / 60)
    return f"{minutes // 60}{_WIDE}h{_WIDE}{minutes % 60:02}"


def day(value: date, *, year: bool = False) -> str:
    """2 March."""
    first = "1er" if value.day == 1 and current_language() == "fr" else str(value.day)
    return f"{first}{_WIDE}{month(value, year=year)}"


def month(value: date, *, year: bool = False) -> str:
    """March, March 2026."""
    months = (
        _("January"), _("February"), _("March"), _("April"), _("May"), _("June"),
        _("July"), _("August"), _("September"), _("October"), _("November"), _("December"),
    )  # fmt: skip
    said = months[value.month - 1]
    return f"{said} {value.year}" if year else said

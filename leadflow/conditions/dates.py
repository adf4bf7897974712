"""Days as people say them: `24 March`, and `24 March 2025` where the question is asked in another year."""

from datetime import date

from leadflow.text import _, current_language


def day_words(day: date, today: date) -> str:
    """`day`, for somebody who lives in `today`."""
    number = "1er" if day.day == 1 and current_language() == "fr" else str(day.day)
    year = f" {day.year}" if day.year != today.year else ""
    return f"{number} {_month(day.month)}{year}"


def iso_words(text: str, today: date) -> str:
    """An ISO date as people say it; another text as it is."""
    try:
        return day_words(date.fromisoformat(text), today)
    except ValueError:
        return text


def _month(number: int) -> str:
    return (
        _("January"),
        _("February"),
        _("March"),
        _("April"),
        _("May"),
        _("June"),
        _("July"),
        _("August"),
        _("September"),
        _("October"),
        _("November"),
        _("December"),
    )[number - 1]

"""Pictures of the mails by week and of the clocks of hand-overs; wide, and narrow for phones."""

import math
from collections.abc import Sequence

from leadflow.ask.report import numbers
from leadflow.ask.report.flows import Week
from leadflow.ask.report.sales import Clock, RepFigures
from leadflow.ask.report.svg import Canvas, fitting, width_of
from leadflow.text import _

#: A phone shows so many weeks.
_NARROW_WEEKS = 12


def fates() -> dict[str, str]:
    """What becomes of a mail → its name; also the colours, from the bottom up."""
    return {
        "clicked": _("clicked (human)"),
        "unclicked": _("delivered, not clicked"),
        "silent": _("no news yet"),
        "bounced": _("bounced"),
    }


def marks() -> dict[str, str]:
    """What becomes of a hand-over's clock → its name; also the colours, from the left."""
    return {
        "in_time": _("answered in time"),
        "after_time": _("answered late"),
        "waiting": _("waiting"),
        "late": _("waiting, late"),
        "silent": _("closed unanswered"),
    }


def weeks_picture(weeks: Sequence[Week]) -> tuple[str, str]:
    """Columns as high as the mails sent that week."""
    title = _("Mails by week")
    text = "; ".join(
        _("week of {day}: {n} sent").format(day=numbers.day(week.monday), n=numbers.whole(week.sent)) for week in weeks
    )
    wide, small = _weeks(weeks, 640), _weeks(weeks[-_NARROW_WEEKS:], 340)
    return wide.drawn(title, text, "wide"), small.drawn(title, text, "narrow")


def _weeks(weeks: Sequence[Week], width: float) -> Canvas:
    high, top, left = 190.0, 16.0, 44.0
    canvas = Canvas(width, top + high + 26)
    most = _round_up(max(week.sent for week in weeks))
    for part in (0, 1, 2):
        y = top + high - part * high / 2
        canvas.line(left, y, width, y)
        canvas.text(left - 8, y + 4, numbers.whole(most * part // 2), "small", "end")
    room = (width - left) / len(weeks)
    thick = min(room * 0.62, 56)
    widest = max(width_of(numbers.day(week.monday), 11.5) for week in weeks)
    every = math.ceil((widest + 14) / room)
    for place, week in enumerate(weeks):
        x, y = left + place * room + (room - thick) / 2, top + high
        for fate, name in fates().items():
            n = getattr(week, fate)
            tall = n / most * high
            y -= tall
            if n:
                told = f"{numbers.day(week.monday)}: {numbers.whole(n)} {name}"
                canvas.rect(x, y, thick, tall, f"mail-{fate}", told, round=0)
        if place % every == 0:
            # The last week's day stays within the frame.
            middle = min(x + thick / 2, width - widest / 2)
            canvas.text(middle, top + high + 18, numbers.day(week.monday), "small", "middle")
    return canvas


def _round_up(n: int) -> int:
    """The next even number of one or two digits and zeros: an axis people can read."""
    size = 10 ** max(len(str(n)) - 2, 0)
    step = 2 * size if n > 20 * size else 2
    return max(-(-n // step) * step, 2)


def clocks_picture(reps: Sequence[RepFigures]) -> tuple[str, str]:
    """A bar a salesperson, as long as the hand-overs, in parts by when the answer came."""
    title = _("Clocks of hand-overs")
    text = "; ".join(f"{_rep(one)}: {_said(one.clock)}" for one in reps)
    wide, small = _clocks(reps, narrow=False), _clocks(reps, narrow=True)
    return wide.drawn(title, text, "wide"), small.drawn(title, text, "narrow")


def _clocks(reps: Sequence[RepFigures], *, narrow: bool) -> Canvas:
    width, left, row, thick = (340.0, 0.0, 50.0, 20.0) if narrow else (640.0, 108.0, 40.0, 24.0)
    top = 20.0 if narrow else 2.0
    canvas = Canvas(width, row * len(reps) + (4 if narrow else -12))
    most = max((one.given for one in reps), default=0) or 1
    room = width - left - 44
    for place, one in enumerate(reps):
        x, y = left, place * row + top
        for mark, name in marks().items():
            n = getattr(one.clock, mark)
            long = n / most * room
            if n:
                canvas.rect(x, y, long, thick, f"clock-{mark}", f"{_rep(one)}: {numbers.whole(n)} {name}", round=0)
            x += long
        if narrow:
            canvas.text(0, y - 6, fitting(_rep(one), 250), "name")
        else:
            canvas.text(left - 14, y + 17, fitting(_rep(one), left - 14), "name", "end")
        canvas.text(x + 10, y + (15 if narrow else 17), numbers.whole(one.given), "number")
    return canvas


def _rep(one: RepFigures) -> str:
    return one.rep or _("(nobody)")


def _said(clock: Clock) -> str:
    return ", ".join(f"{getattr(clock, mark)} {name}" for mark, name in marks().items() if getattr(clock, mark))

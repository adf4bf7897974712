"""Pictures of the journey: the funnel as bars, and where people went on to as ribbons; wide, and narrow for phones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from leadflow.ask.funnel import Cohort, rate
from leadflow.ask.report import numbers
from leadflow.ask.report.flows import Flow
from leadflow.ask.report.svg import Canvas, fitting, ribbon
from leadflow.ask.report.words import step_words
from leadflow.text import _, ngettext
from leadflow.types import Lifecycle


def people_words(n: int) -> str:
    """1 person, 1,234 people."""
    return ngettext("{n} person", "{n} people", n).format(n=numbers.whole(n))


def funnel_picture(total: Cohort, stages: Sequence[str]) -> tuple[str, str]:
    """Bars as long as the people who came so far; each is told with its share of those before."""
    names = [step_words(name) for name in (*stages, Lifecycle.PROSPECT, Lifecycle.CUSTOMER)]
    shares = [None, *(rate(part, whole) for whole, part in zip(total.reached, total.reached[1:], strict=False))]
    said = [
        f"{name}: {people_words(n)}" + ("" if share is None else f", {numbers.percent(share)}")
        for name, n, share in zip(names, total.reached, shares, strict=True)
    ]
    title, text = _("Funnel"), "; ".join(said)
    drawn = (_funnel(names, total.reached, shares, narrow) for narrow in (False, True))
    wide, small = (canvas.drawn(title, text, kind) for canvas, kind in zip(drawn, ("wide", "narrow"), strict=True))
    return wide, small


def _funnel(names: Sequence[str], people: Sequence[int], shares: Sequence[float | None], narrow: bool) -> Canvas:
    width, left, row, thick = (340, 0, 58, 22) if narrow else (640, 108, 56, 32)
    room = width - left - (0 if narrow else 96)
    top = 22 if narrow else 0
    canvas = Canvas(width, row * len(names) - (row - thick) + top + 2)
    longest = max(people) or 1
    lengths = [max(n / longest * room, 2.0 if n else 0.0) for n in people]
    for place, (name, n, share) in enumerate(zip(names, people, shares, strict=True)):
        y = place * row + top
        if place + 1 < len(names) and lengths[place + 1] <= lengths[place]:
            after = y + row - (top if narrow else 0)
            edges = f"M{left} {y + thick}H{left + lengths[place]:.1f}L{left + lengths[place + 1]:.1f} {after}H{left}Z"
            canvas.shape(edges, "drop")
        canvas.rect(left, y, lengths[place], thick, f"s{place % 5}", f"{name}: {people_words(n)}")
        told = numbers.percent(share) if share is not None else ""
        if narrow:
            canvas.text(0, y - 7, name, "name")
            canvas.text(width, y - 7, " · ".join(filter(None, (numbers.whole(n), told))), "number", "end")
        else:
            canvas.text(left - 14, y + 21, name, "name", "end")
            canvas.text(left + lengths[place] + 10, y + 21, numbers.whole(n), "number")
            canvas.text(width, y + 21, told, "quiet", "end")
    return canvas


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """Where a flow's places and passing ribbons lie: along the way and across it, in the picture's units."""

    scale: float
    along: tuple[float, ...]
    #: (column, start, end) → where the ribbon between two places crosses a column they skip.
    lanes: dict[tuple[int, int, int], float]


#: Between a place and what passes beside it.
_GAP = 12.0


def flow_picture(flow: Flow) -> tuple[str, str]:
    """Ribbons as thick as the people who went from one place to a further one."""
    title = _("Where people went on to")
    said = [
        _("{n} from {start} to {end}").format(
            n=numbers.whole(n), start=step_words(flow.places[start]), end=step_words(flow.places[end])
        )
        for (start, end), n in sorted(flow.moves.items())
    ]
    text = "; ".join(said) or _("nobody went on yet")
    return _across(flow).drawn(title, text, "wide"), _down(flow).drawn(title, text, "narrow")


def _across(flow: Flow) -> Canvas:
    """From left to right, names above."""
    width, top, room, thick = 640.0, 56.0, 230.0, 14.0
    step = (width - 92) / (len(flow.places) - 1)
    laid = _lay(flow, room, [place * step for place in range(len(flow.places))])
    canvas = Canvas(width, top + room + 4)
    for start, end, x1, y1, x2, y2, n in _bands(flow, laid, thick):
        canvas.shape(
            ribbon((x1, top + y1), (x2, top + y2), n * laid.scale), f"band b{start % 5}", _told(flow, start, end)
        )
    for place, name in enumerate(flow.places):
        x = laid.along[place]
        canvas.rect(x, top, thick, _thickness(flow, laid, place), _colour(flow, place))
        canvas.text(x, 14, fitting(step_words(name), step), "name")
        canvas.text(x, 31, numbers.whole(flow.people[place]), "number")
        canvas.text(x, 46, fitting(_rest(flow, place), step, 11), "small")
    return canvas


def _down(flow: Flow) -> Canvas:
    """From top to bottom, names on the right."""
    width, room, thick, step = 340.0, 190.0, 12.0, 66.0
    laid = _lay(flow, room, [place * step + 8 for place in range(len(flow.places))])
    canvas = Canvas(width, laid.along[-1] + thick + 26)
    for start, end, y1, x1, y2, x2, n in _bands(flow, laid, thick):
        canvas.shape(
            ribbon((x1, y1), (x2, y2), n * laid.scale, down=True), f"band b{start % 5}", _told(flow, start, end)
        )
    for place, name in enumerate(flow.places):
        y = laid.along[place]
        canvas.rect(0, y, _thickness(flow, laid, place), thick, _colour(flow, place))
        canvas.text(206, y + 6, fitting(step_words(name), width - 206), "name")
        canvas.text(206, y + 22, numbers.whole(flow.people[place]), "number")
        canvas.text(206, y + 36, fitting(_rest(flow, place), width - 206, 11), "small")
    return canvas


def _lay(flow: Flow, room: float, along: Sequence[float]) -> _Laid:
    columns = [_passing(flow, column) for column in range(len(flow.places))]
    loads = [flow.people[column] + sum(n for _way, n in passing) for column, passing in enumerate(columns)]
    gaps = [_GAP * len(passing) for passing in columns]
    scale = min((room - gap) / load for gap, load in zip(gaps, loads, strict=True) if load)
    lanes: dict[tuple[int, int, int], float] = {}
    for column, passing in enumerate(columns):
        at = flow.people[column] * scale
        for (start, end), n in passing:
            lanes[column, start, end] = at + _GAP
            at += _GAP + n * scale
    return _Laid(scale=scale, along=tuple(along), lanes=lanes)


def _passing(flow: Flow, column: int) -> list[tuple[tuple[int, int], int]]:
    """What goes past a place without standing there: the nearest end first, so that ribbons cross least."""
    past = [(way, n) for way, n in flow.moves.items() if way[0] < column < way[1]]
    return sorted(past, key=lambda item: (item[0][1], -item[0][0]))


def _bands(flow: Flow, laid: _Laid, thick: float) -> Iterator[tuple[int, int, float, float, float, float, int]]:
    """(start, end, along, across, along, across, people) for each piece of each ribbon."""
    leaving, arriving = _edges(flow, laid.scale, out=True), _edges(flow, laid.scale, out=False)
    for (start, end), n in flow.moves.items():
        crossings = [(laid.along[start], leaving[start, end])]
        crossings += [(laid.along[column], laid.lanes[column, start, end]) for column in range(start + 1, end)]
        crossings += [(laid.along[end], arriving[start, end])]
        for (a1, c1), (a2, c2) in pairwise(crossings):
            yield start, end, a1 + thick, c1, a2, c2, n
        for a, c in crossings[1:-1]:
            yield start, end, a, c, a + thick, c, n


def _edges(flow: Flow, scale: float, *, out: bool) -> dict[tuple[int, int], float]:
    """Where each ribbon leaves its start, or reaches its end: the shortest way first."""
    at = dict.fromkeys(range(len(flow.places)), 0.0)
    edges: dict[tuple[int, int], float] = {}
    for way in sorted(flow.moves, key=lambda way: way[1] - way[0]):
        place = way[0] if out else way[1]
        edges[way] = at[place]
        at[place] += flow.moves[way] * scale
    return edges


def _thickness(flow: Flow, laid: _Laid, place: int) -> float:
    return max(flow.people[place] * laid.scale, 1.5 if flow.people[place] else 0)


def _colour(flow: Flow, place: int) -> str:
    return "out" if place == len(flow.places) - 1 else f"s{place % 5}"


def _told(flow: Flow, start: int, end: int) -> str:
    n = flow.moves[start, end]
    return f"{step_words(flow.places[start])} → {step_words(flow.places[end])}: {people_words(n)}"


def _rest(flow: Flow, place: int) -> str:
    """How many came no further; said where some did."""
    still = flow.still_in(place)
    if still == flow.people[place]:
        return ""
    return _("{n} stay there").format(n=numbers.whole(still))

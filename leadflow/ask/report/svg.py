"""Draws pictures as inline SVG: rectangles, ribbons and words, coloured by the page's style sheet, without a script."""

from html import escape
from itertools import count

#: A letter's usual width, in parts of its size.
_LETTER = 0.58


class Canvas:
    """A picture that grows as things are drawn on it."""

    _numbers = count(1)

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def rect(
        self, x: float, y: float, width: float, height: float, kind: str, told: str = "", round: float = 2
    ) -> None:
        """A rectangle of a colour of the style sheet; `told` is read out and shown when it is pointed at."""
        title = f"<title>{escape(told)}</title>" if told else ""
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(max(height, 0))}" rx="{_n(round)}"'
        self._parts.append(f'<rect class="{kind}" {place}>{title}</rect>')

    def shape(self, points: str, kind: str, told: str = "") -> None:
        """A path."""
        title = f"<title>{escape(told)}</title>" if told else ""
        self._parts.append(f'<path class="{kind}" d="{points}">{title}</path>')

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A hair line."""
        place = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
        self._parts.append(f'<line class="hair" {place}/>')

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        """One line of words; y is its base line."""
        self._parts.append(
            f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def drawn(self, title: str, description: str, kind: str) -> str:
        """The whole picture, named and described for those who do not see it."""
        number = next(Canvas._numbers)
        names = f"t{number}", f"d{number}"
        return (
            f'<svg class="{kind}" role="img" aria-labelledby="{names[0]} {names[1]}" '
            f'viewBox="0 0 {_n(self.width)} {_n(self.height)}">'
            f'<title id="{names[0]}">{escape(title)}</title><desc id="{names[1]}">{escape(description)}</desc>'
            f"{''.join(self._parts)}</svg>"
        )


def ribbon(start: tuple[float, float], end: tuple[float, float], thick: float, *, down: bool = False) -> str:
    """The outline of a band from one edge to another; `start` and `end` are its upper (or left) corners."""
    (x1, y1), (x2, y2) = start, end
    if down:
        middle = (y1 + y2) / 2
        there = f"M{_n(x1)} {_n(y1)}C{_n(x1)} {_n(middle)} {_n(x2)} {_n(middle)} {_n(x2)} {_n(y2)}"
        right1, right2 = _n(x1 + thick), _n(x2 + thick)
        return f"{there}H{right2}C{right2} {_n(middle)} {right1} {_n(middle)} {right1} {_n(y1)}Z"
    middle = (x1 + x2) / 2
    there = f"M{_n(x1)} {_n(y1)}C{_n(middle)} {_n(y1)} {_n(middle)} {_n(y2)} {_n(x2)} {_n(y2)}"
    low1, low2 = _n(y1 + thick), _n(y2 + thick)
    return f"{there}V{low2}C{_n(middle)} {low2} {_n(middle)} {low1} {_n(x1)} {low1}Z"


def width_of(words: str, size: float = 13) -> float:
    """About how wide words are."""
    return len(words) * size * _LETTER


def fitting(words: str, room: float, size: float = 13) -> str:
    """`words`, cut where they would not fit."""
    most = int(room / (size * _LETTER))
    return words if len(words) <= most else f"{words[: max(most - 1, 1)].rstrip()}…"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")

"""The grid of `leadflow coverage` on a terminal: a shade for what is left, the people below it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from leadflow.ask.coverage import ENGAGEMENTS, FITS, Cell, Count
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.ask.coverage import Coverage

#: Least emails left → shade; light to dark as they grow scarce, then red.
_SHADES = ((5, "black on #b7e1a1"), (3, "black on #dcedc1"), (2, "black on #fff0a5"), (1, "black on #ffc285"))
_NONE_LEFT = "#ffffff on #b3261e"
#: Between the stages.
_GAP = "  "


def grid(found: "Coverage", width: int) -> Iterator[Text]:
    """One block a language, a row a segment, the bands of each stage side by side."""
    label = max(len(_named(segment)) for segment in found.segments) + 2
    room = (width - label) // max(1, len(found.stages) * len(FITS)) - 1
    wide = min(6, max(4, room))
    yield Text(_title(found), style="bold")
    for language in found.languages:
        yield Text("")
        yield from _head(found, language, label, wide)
        for segment in found.segments:
            counts = [[_fit(found, language, segment, stage, fit) for fit in FITS] for stage in found.stages]
            yield from _row(segment, counts, label, wide)
    yield Text("")
    yield from _legend(found)


def _title(found: "Coverage") -> str:
    if not found.people:
        return _("COVERAGE · how many emails there are for each place; nobody stands there yet")
    told = ngettext(
        "COVERAGE · {n} person who may be mailed, and the emails they have not had",
        "COVERAGE · {n} people who may be mailed, and the emails they have not had",
        found.people,
    )
    return told.format(n=found.people)


def _head(found: "Coverage", language: str, label: int, wide: int) -> Iterator[Text]:
    stages = _GAP.join(stage[: wide * len(FITS)].center(wide * len(FITS)) for stage in found.stages)
    yield Text(language.ljust(label), style="bold") + Text(stages, style="bold")
    yield Text(" " * label + _GAP.join("".join(fit.center(wide) for fit in FITS) for _stage in found.stages), "dim")


def _row(segment: str, counts: Sequence[Sequence[Count]], label: int, wide: int) -> Iterator[Text]:
    above, below = Text(_named(segment).ljust(label)), Text(" " * label)
    for place, stage in enumerate(counts):
        if place:
            above.append(_GAP)
            below.append(_GAP)
        for count in stage:
            above.append(_left(count).center(wide), style=_shade(count))
            below.append((_short(count.people) if count.people else "").center(wide), style=_shade(count, below=True))
    yield above
    if any(count.people for stage in counts for count in stage):
        yield below


def _fit(found: "Coverage", language: str, segment: str, stage: str, fit: str) -> Count:
    """The cells of a fit together, whatever the engagement."""
    whole = Count(mails=1_000_000)
    for engagement in ENGAGEMENTS:
        count = found.cells[Cell(language=language, segment=segment, stage=stage, band=fit + engagement)]
        whole.mails = min(whole.mails, count.mails)
        if count.people and count.fewest is not None and count.most is not None:
            whole.people += count.people
            whole.without += count.without
            whole.fewest = min(whole.fewest if whole.fewest is not None else count.fewest, count.fewest)
            whole.most = max(whole.most or 0, count.most)
    return whole


def _left(count: Count) -> str:
    if not count.people:
        return str(count.mails)
    return str(count.fewest) if count.fewest == count.most else f"{count.fewest}–{count.most}"


def _shade(count: Count, *, below: bool = False) -> str:
    if not count.people:
        return "dim red" if not count.mails else "dim"
    shade = next((style for least, style in _SHADES if (count.fewest or 0) >= least), _NONE_LEFT)
    return shade if below else f"bold {shade}"


def _short(people: int) -> str:
    return str(people) if people < 1000 else f"{people / 1000:.0f}k"


def _named(segment: str) -> str:
    return segment or _("no segment")


def _legend(found: "Coverage") -> Iterator[Text]:
    if found.people:
        yield Text(_("above: the fewest and the most emails left to somebody there; below: the people"), style="dim")
    yield Text(_("grey: nobody stands there; so many emails would be for them"), style="dim")
    shades = Text()
    words = (
        (_NONE_LEFT, "0"),
        (_SHADES[3][1], "1"),
        (_SHADES[2][1], "2"),
        (_SHADES[1][1], "3–4"),
        (_SHADES[0][1], "5+"),
    )
    for style, said in words if found.people else ():
        shades.append(f" {said} ", style=style).append(" ")
    if found.people:
        yield shades

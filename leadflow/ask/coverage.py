"""The grid segment × stage × band × language: how many emails those who stand there have not had, and where none is."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from leadflow.ask.coverage_rows import Alike, Crowd, Shelf, crowds, crowds_under_way, shelf_of
from leadflow.ask.dry import DryCell
from leadflow.playbook.model import Playbook
from leadflow.playbook.model import Sequence as Programme
from leadflow.steps.email import EmailStep
from leadflow.steps.wait import WaitStep
from leadflow.types import DAY, Span, SpanKind, instant_of, micros

FITS, ENGAGEMENTS = "ABCD", "1234"


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A place in the grid; `segment` is the main one, '' for none, `band` such as A2."""

    language: str
    segment: str
    stage: str
    band: str


@dataclass(slots=True, kw_only=True)
class Count:
    """What there is in a cell."""

    #: Emails for somebody who stands there, whose condition and needs are met, and who had none.
    mails: int = 0
    people: int = 0
    #: Of those people, who has nothing left.
    without: int = 0
    #: The emails left to them: fewest, most.
    fewest: int | None = None
    most: int | None = None

    def add(self, left: int, people: int) -> None:
        """So many more people with so many emails left."""
        self.people += people
        self.without += people if not left else 0
        self.fewest = left if self.fewest is None else min(self.fewest, left)
        self.most = left if self.most is None else max(self.most, left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The answer."""

    at: datetime
    #: The office's.
    zone: str
    languages: tuple[str, ...]
    #: In their order, '' for people in none at last.
    segments: tuple[str, ...]
    stages: tuple[str, ...]
    cells: Mapping[Cell, Count]
    #: Where the next mails of people under way run out, and when that is at the earliest; the soonest first.
    dry: tuple[DryCell, ...]
    #: Emails that are for nobody who is here.
    unmet: tuple[str, ...]
    #: Emails that nobody can ever receive, and why; known to whoever has checked the files.
    never: Mapping[str, str] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """Who may be mailed."""
        return sum(count.people for count in self.cells.values())


def cover(session: Session, playbook: Playbook, now: datetime, *, has: ColumnElement[int] | None = None) -> Coverage:
    """Over the catalogue as it was last loaded; `has` are the bits of what is known of a lead (else all is)."""
    shelf = shelf_of(session)
    fitting = _fitting(playbook, shelf)
    cells, met = _grid(playbook, shelf, fitting), 0
    for crowd in crowds(session, playbook, shelf, now, has=has):
        fits = fitting(crowd.alike)
        met |= fits
        cells[_cell(playbook, crowd.alike)].add((fits & ~crowd.had).bit_count(), crowd.people)
    some = any(count.people for count in cells.values())
    under_way = crowds_under_way(session, playbook, shelf, now, has=has) if some else ()
    return Coverage(
        at=now,
        zone=playbook.office.zone,
        languages=playbook.brand.languages,
        segments=(*playbook.segment_order, ""),
        stages=tuple(stage.name for stage in playbook.journey.stages),
        cells=cells,
        dry=_dry(playbook, fitting, under_way, now),
        unmet=tuple(name for i, name in enumerate(shelf.emails) if some and not met >> i & 1),
    )


def _fitting(playbook: Playbook, shelf: Shelf) -> Callable[[Alike], int]:
    """What choosing does, over bits: the emails that are for people who are alike, whatever they had."""
    stages = [stage.name for stage in playbook.journey.stages]

    @cache
    def fitting(alike: Alike) -> int:
        stage, bodies = _bit(alike.stage, stages), shelf.reads.get(alike.reads, {})
        fit, engagement = _bit(alike.band[:1], FITS), _bit(alike.band[1:], ENGAGEMENTS)
        found = 0
        for i, name in enumerate(shelf.emails):
            row, needs, wants = shelf.rows[name], bodies.get(name), shelf.wants[name]
            lists = row["stages"] & stage and row["fits"] & fit and row["engagements"] & engagement
            inside = not row["has_segments"] or wants & alike.segments
            when = not row["when_bit"] or row["when_bit"] & alike.whens
            if lists and inside and when and needs is not None and needs & alike.has == needs:
                found |= 1 << i
        return found

    return fitting


def _bit(word: str, words: "list[str] | str") -> int:
    return 1 << words.index(word) if word and word in words else 0


def _grid(playbook: Playbook, shelf: Shelf, fitting: Callable[[Alike], int]) -> defaultdict[Cell, Count]:
    """Every cell, with how many emails are for somebody who stands there and is in no other segment."""
    cells: defaultdict[Cell, Count] = defaultdict(Count)
    for language in playbook.brand.languages:
        for segment in (*playbook.segment_order, ""):
            inside = 1 << shelf.segments.index(segment) if segment in shelf.segments else 0
            for stage in playbook.journey.stages:
                for band in (fit + engagement for fit in FITS for engagement in ENGAGEMENTS):
                    alike = Alike(stage=stage.name, band=band, reads=language, main=segment, segments=inside)
                    cell = Cell(language=language, segment=segment, stage=stage.name, band=band)
                    cells[cell] = Count(mails=fitting(alike).bit_count())
    return cells


def _cell(playbook: Playbook, alike: Alike) -> Cell:
    return Cell(language=_spoken(playbook, alike.reads), segment=alike.main, stage=alike.stage, band=alike.band)


def _spoken(playbook: Playbook, tag: str) -> str:
    """The language of the brand in which a reader of `tag` is written to."""
    known = {language.lower(): language for language in playbook.brand.languages}
    return known.get(tag) or known.get(tag.partition("-")[0]) or playbook.brand.languages[0]


def _dry(
    playbook: Playbook, fitting: Callable[[Alike], int], under_way: "Iterator[Crowd] | tuple[()]", now: datetime
) -> tuple[DryCell, ...]:
    """Cells whose people come to a step that asks for the best email when they have had them all."""
    people: dict[tuple[str, str, str], int] = {}
    first: dict[tuple[str, str, str], int] = {}
    for crowd in under_way:
        left = (fitting(crowd.alike) & ~crowd.had).bit_count()
        asked = _asked_ahead(playbook, crowd)
        if len(asked) > left:
            key = (crowd.alike.stage, crowd.alike.main, _spoken(playbook, crowd.alike.reads))
            due = micros(now) if crowd.has_mail or crowd.due is None else max(crowd.due, micros(now))
            people[key] = people.get(key, 0) + crowd.people
            first[key] = min(due + asked[left], first.get(key, due + asked[left]))
    found = (
        DryCell(stage=key[0], segment=key[1], language=key[2], people=n, first=instant_of(first[key]))
        for key, n in people.items()
    )
    return tuple(sorted(found, key=lambda dry: (dry.first, -dry.people, dry.name)))


def _asked_ahead(playbook: Playbook, crowd: Crowd) -> list[int]:
    """After how many microseconds, at the earliest, each next step wants the best email for their stage."""
    sequence = playbook.sequence(crowd.sequence)
    step = sequence.step(crowd.step) if sequence else None
    if sequence is None or step is None or (crowd.has_mail and not step.goes_on):
        return []
    place = sequence.steps.index(step)
    if isinstance(step, WaitStep):
        # Their due instant is the end of this wait.
        place += 1
    return list(_asked(sequence, place + crowd.has_mail, crowd.alike.stage))


def _asked(sequence: Programme, place: int, stage: str) -> Iterator[int]:
    waited = 0
    for step in sequence.steps[place:]:
        if isinstance(step, EmailStep) and step.best_for == stage:
            yield waited
        if isinstance(step, WaitStep):
            waited += _length(step.span)
        if not step.goes_on:
            return


def _length(span: Span) -> int:
    """About: five business days are a week."""
    return span.amount if span.kind is SpanKind.ELAPSED else span.amount * DAY * 7 // 5

"""Everybody who may be mailed, counted by what choosing looks at and by what they had: a statement, whoever many."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Subquery, and_, case, cast, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.sources import Sources, live_sources
from leadflow.eligibility import first_reason, planning_blocks
from leadflow.models import (
    enrolment,
    lead,
    lead_score,
    lead_state,
    membership,
    message,
    tpl,
    tpl_lang,
    tpl_segment,
)
from leadflow.playbook.model import Playbook
from leadflow.types import COUNTS_AS_RECEIVED, EnrolmentState, Purpose, micros

#: Bits of one whole number that both databases keep and add up without a sign.
_WORD = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The catalogue as bits: bit i of a mask is the i-th email that `best_for` may choose."""

    emails: tuple[str, ...]
    segments: tuple[str, ...]
    #: tpl's row by email.
    rows: Mapping[str, Any]
    #: Email → bits of its segments; 0 for anybody.
    wants: Mapping[str, int]
    #: What a reader of a language gets: language → email → bits of what the body needs.
    reads: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """What choosing looks at in a person."""

    stage: str
    band: str
    reads: str
    main: str
    segments: int
    #: What is known of them, and which emails' own conditions they meet; -1 for all.
    has: int = -1
    whens: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """People who are alike and had the same emails."""

    alike: Alike
    had: int
    people: int
    #: Where they stand, and when the first of them is due; only of people under way.
    sequence: str = ""
    step: str = ""
    #: The mail of that step is on its way, or gone.
    has_mail: bool = False
    due: int | None = field(default=None)


def shelf_of(session: Session) -> Shelf:
    """The catalogue as it was last loaded."""
    rows = {row["template"]: row for row in session.execute(select(tpl).where(tpl.c.pickable)).mappings()}
    asked: dict[str, list[str]] = {}
    for template, segment in session.execute(select(tpl_segment.c.template, tpl_segment.c.segment)):
        asked.setdefault(template, []).append(segment)
    segments = tuple(sorted({name for names in asked.values() for name in names}))
    reads: dict[str, dict[str, int]] = {}
    for row in session.execute(select(tpl_lang)):
        reads.setdefault(row.for_lang, {})[row.template] = row.needs
    return Shelf(
        emails=tuple(sorted(rows)),
        segments=segments,
        rows=rows,
        wants={name: sum(1 << segments.index(one) for one in asked.get(name, ())) for name in rows},
        reads=reads,
    )


def crowds(
    session: Session, playbook: Playbook, shelf: Shelf, now: datetime, *, has: ColumnElement[int] | None = None
) -> Iterator[Crowd]:
    """Everybody who may be mailed at `now`; `has` are the bits of what is known of a lead, over lead and account."""
    people = _people(playbook, shelf, now, has)
    columns = [column for column in people.c if column.name != "lead_id"]
    query = select(*columns, func.count()).group_by(*columns)
    for *row, n in session.execute(query):
        yield _crowd(shelf, row, people=n)


def crowds_under_way(
    session: Session, playbook: Playbook, shelf: Shelf, now: datetime, *, has: ColumnElement[int] | None = None
) -> Iterator[Crowd]:
    """The same of those who stand in a sequence, once for each place they stand at."""
    people = _people(playbook, shelf, now, has)
    columns = [column for column in people.c if column.name != "lead_id"]
    has_mail = (
        select(message.c.id)
        .where(message.c.enrolment_id == enrolment.c.id, message.c.step == enrolment.c.step)
        .where(message.c.state.in_(COUNTS_AS_RECEIVED))
        .exists()
    )
    places = (
        select(
            enrolment.c.lead_id,
            enrolment.c.sequence,
            enrolment.c.step,
            case((has_mail, 1), else_=0).label("has_mail"),
            type_coerce(enrolment.c.due_at, BigInteger).label("due"),
        )
        .where(enrolment.c.state == EnrolmentState.ACTIVE, enrolment.c.step.is_not(None))
        .subquery("places")
    )
    by = [*columns, places.c.sequence, places.c.step, places.c.has_mail]
    joined = people.join(places, places.c.lead_id == people.c.lead_id)
    query = select(*by, func.count(), func.min(places.c.due)).select_from(joined).group_by(*by)
    for *row, sequence, step, mailed, n, due in session.execute(query):
        yield _crowd(shelf, row, people=n, sequence=sequence, step=step, has_mail=bool(mailed), due=due)


def _crowd(shelf: Shelf, row: Sequence[Any], **rest: Any) -> Crowd:
    stage, band, reads, main, has, whens, *masks = row
    words = len(_chunks(shelf.segments))
    alike = Alike(
        stage=stage,
        band=band,
        reads=reads,
        main=main,
        has=has,
        whens=whens,
        segments=_joined(masks[:words]),
    )
    return Crowd(alike=alike, had=_joined(masks[words:]), **rest)


def _joined(words: Sequence[int]) -> int:
    return sum(int(word) << (_WORD * place) for place, word in enumerate(words))


def _chunks(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + _WORD] for start in range(0, len(names), _WORD)]


def _people(playbook: Playbook, shelf: Shelf, now: datetime, has: ColumnElement[int] | None) -> Subquery:
    """One row a person who may be mailed, with what choosing looks at and the emails they had."""
    sources = live_sources(playbook.vocabulary, zone=ZoneInfo(playbook.office.zone))
    inside, had = _inside(shelf), _had(shelf, now)
    blocked = first_reason(planning_blocks(playbook, sources, now, Purpose.NURTURE))
    joined = sources.from_.outerjoin(inside, inside.c.lead_id == lead.c.id).outerjoin(had, had.c.lead_id == lead.c.id)
    masks = [column for part in (inside, had) for column in part.c if column.name != "lead_id"]
    return (
        select(
            lead.c.id.label("lead_id"),
            func.coalesce(lead_state.c.stage, playbook.journey.stages[0].name).label("stage"),
            func.coalesce(lead_score.c.band, "D4").label("band"),
            func.coalesce(lead.c.language, "").label("reads"),
            func.coalesce(lead_state.c.segment_main, "").label("main"),
            (literal(-1, BigInteger) if has is None else has).label("has"),
            _whens(playbook, shelf, sources, now).label("whens"),
            *(func.coalesce(column, 0).label(column.name) for column in masks),
        )
        .select_from(joined)
        .where(blocked.is_(None))
        .subquery("people")
    )


def _inside(shelf: Shelf) -> Subquery:
    """Lead → bits of the segments they are in, of those that some email is for."""
    lead_id, name = membership.c.lead_id, membership.c.segment
    open_now = and_(membership.c.left_at.is_(None), name.in_(shelf.segments))
    known = select(lead_id, name.label("name")).where(open_now).distinct().subquery("open")
    return _masks(known, shelf.segments, "segments")


def _had(shelf: Shelf, now: datetime) -> Subquery:
    """Lead → bits of the emails they had within the time in which they do not get them again."""
    at = func.coalesce(type_coerce(message.c.sent_at, BigInteger), type_coerce(message.c.planned_at, BigInteger))
    known = (
        select(message.c.lead_id, message.c.email.label("name"))
        .join(tpl, tpl.c.template == message.c.email)
        .where(tpl.c.pickable, message.c.state.in_(COUNTS_AS_RECEIVED), message.c.planned_at < micros(now))
        .where(at > micros(now) - tpl.c.again_after)
        .distinct()
        .subquery("known")
    )
    return _masks(known, shelf.emails, "had")


def _masks(known: Subquery, names: Sequence[str], label: str) -> Subquery:
    columns = [
        cast(func.sum(case({name: 1 << i for i, name in enumerate(chunk)}, value=known.c.name, else_=0)), BigInteger)
        for chunk in _chunks(names)
    ]
    labelled = (column.label(f"{label}_{place}") for place, column in enumerate(columns))
    return select(known.c.lead_id, *labelled).group_by(known.c.lead_id).subquery(label)


def _whens(playbook: Playbook, shelf: Shelf, sources: Sources, now: datetime) -> ColumnElement[int]:
    """The bits of the emails whose own `when` holds."""
    bits: ColumnElement[int] = literal(0, BigInteger)
    for name, row in shelf.rows.items():
        when = playbook.email_when(name) if row["when_bit"] else None
        if when is not None:
            holds = compile_condition(when, sources, now, playbook.vocabulary)
            bits = bits + case((holds, literal(row["when_bit"], BigInteger)), else_=literal(0, BigInteger))
    return bits

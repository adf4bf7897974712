"""Where content runs out: cells of the grid stage × segment × language whose people have no email left to get."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, literal, null, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.db import greatest
from leadflow.eligibility import bit_of, for_segments
from leadflow.models import enrolment, lead, lead_score, lead_state, message, tpl, tpl_lang
from leadflow.playbook.model import Playbook
from leadflow.playbook.model import Sequence as Programme
from leadflow.playbook.vocabulary import ENGAGEMENT_BANDS, FIT_BANDS
from leadflow.steps.email import EmailStep
from leadflow.types import COUNTS_AS_RECEIVED, EnrolmentState, Lifecycle, instant_of, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class DryCell:
    """People of one cell whose next mail is to be the best one, and for whom none is left."""

    stage: str
    #: The main segment, '' for none.
    segment: str
    language: str
    people: int
    #: When the first of them comes to that step; None while the mail before it is still to leave.
    first: datetime | None

    @property
    def name(self) -> str:
        """`evaluation × professional-firms × fr`."""
        return f"{self.stage} × {self.segment or '–'} × {self.language}"


def dry_cells(session: Session, playbook: Playbook, now: datetime) -> tuple[DryCell, ...]:
    """The cells that run dry, the soonest first; read over the catalogue as it was last loaded.

    What an email's own `when` or a missing field would take away is not counted: who is named here has nothing.
    """
    if not _asked(playbook, 0):
        return ()
    standing = _standing(playbook).subquery("standing")
    due = greatest(standing.c.due_at, literal(micros(now), BigInteger))
    first = func.min(case((standing.c.due_at.is_not(None), due)))
    cell = (standing.c.asks, standing.c.segment, standing.c.language)
    query = (
        select(*cell, func.count(standing.c.lead_id.distinct()), first)
        .where(~_something_left(standing, now))
        .group_by(*cell)
    )
    found = [
        DryCell(stage=stage, segment=segment, language=language, people=n, first=first and instant_of(first))
        for stage, segment, language, n, first in session.execute(query)
    ]
    return tuple(sorted(found, key=lambda dry: (dry.first is None, dry.first, -dry.people, dry.name)))


def _asked(playbook: Playbook, ahead: int) -> Mapping[tuple[str, str], str]:
    """(sequence, present step) → the stage for which the next email step wants the best email.

    With `ahead` 1 the present step does not count: its mail is chosen already.
    """
    asked: dict[tuple[str, str], str] = {}
    for sequence in playbook.sequences:
        for place, step in enumerate(sequence.steps):
            following = next_email(sequence, place + ahead) if step.goes_on or not ahead else None
            if following is not None and following.best_for is not None:
                asked[sequence.name, step.name] = following.best_for
    return asked


def next_email(sequence: Programme, place: int) -> EmailStep | None:
    """The first email step from `place` on that people come to without being told where to go on."""
    for step in sequence.steps[place:]:
        if isinstance(step, EmailStep):
            return step
        if not step.goes_on:
            return None
    return None


def _standing(playbook: Playbook) -> Select[Any]:
    """One row an active enrolment whose next mail is the best one, with what choosing looks at."""
    stages, fallback = [stage.name for stage in playbook.journey.stages], playbook.brand.languages[0]
    chosen = (
        select(message.c.id)
        .where(message.c.enrolment_id == enrolment.c.id, message.c.step == enrolment.c.step)
        .where(message.c.state.in_(COUNTS_AS_RECEIVED))
        .correlate(enrolment)
        .exists()
    )
    asks = case((chosen, _stage_asked(playbook, 1)), else_=_stage_asked(playbook, 0))
    return (
        select(
            enrolment.c.lead_id,
            case((~chosen, type_coerce(enrolment.c.due_at, BigInteger))).label("due_at"),
            asks.label("asks"),
            func.coalesce(lead_state.c.segment_main, "").label("segment"),
            func.coalesce(lead.c.language, fallback).label("language"),
            func.coalesce(lead.c.language, "").label("reads"),
            bit_of(asks, stages).label("wanted"),
            bit_of(func.substr(lead_score.c.band, 1, 1), FIT_BANDS).label("fit"),
            bit_of(func.substr(lead_score.c.band, 2, 1), ENGAGEMENT_BANDS).label("engagement"),
        )
        .join(lead, lead.c.id == enrolment.c.lead_id)
        .join(lead_state, lead_state.c.lead_id == lead.c.id)
        .join(lead_score, lead_score.c.lead_id == lead.c.id)
        # Whoever stands in another stage than the step asks for is about to move on.
        .where(enrolment.c.state == EnrolmentState.ACTIVE, asks.is_not(None), asks == lead_state.c.stage)
        .where(lead_state.c.lifecycle.in_([Lifecycle.LEAD, Lifecycle.PROSPECT]), lead_state.c.with_sales.is_(False))
    )


def _stage_asked(playbook: Playbook, ahead: int) -> ColumnElement[Any]:
    cases = [
        (and_(enrolment.c.sequence == sequence, enrolment.c.step == step), literal(stage))
        for (sequence, step), stage in _asked(playbook, ahead).items()
    ]
    return case(*cases, else_=null()) if cases else null()


def _something_left(who: Any, now: datetime) -> ColumnElement[bool]:
    at = func.coalesce(type_coerce(message.c.sent_at, BigInteger), type_coerce(message.c.planned_at, BigInteger))
    received = (
        select(message.c.id)
        .where(message.c.lead_id == who.c.lead_id, message.c.email == tpl.c.template)
        .where(message.c.state.in_(COUNTS_AS_RECEIVED), at > micros(now) - tpl.c.again_after)
        .correlate(tpl, who)
    )
    body = and_(tpl_lang.c.template == tpl.c.template, tpl_lang.c.for_lang == who.c.reads)
    return (
        select(tpl.c.template)
        .select_from(tpl.join(tpl_lang, body))
        .where(tpl.c.pickable, _any(tpl.c.stages, who.c.wanted))
        .where(_any(tpl.c.fits, who.c.fit), _any(tpl.c.engagements, who.c.engagement))
        .where(for_segments(who.c.lead_id), ~received.exists())
        .correlate(who)
        .exists()
    )


def _any(theirs: ColumnElement[int], ours: ColumnElement[int]) -> ColumnElement[bool]:
    return theirs.op("&")(ours) != 0

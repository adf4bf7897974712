"""Who is due a mail, and which one: the best email for each person, in one statement over the catalogue."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.sources import Sources
from leadflow.db import analyze, insert_missing
from leadflow.eligibility import bit_of, for_segments, paused
from leadflow.eligibility.blocks import PERSONAL, first_reason, planning_blocks
from leadflow.models import (
    declined,
    enrolment,
    lead,
    lead_score,
    lead_state,
    message,
    tpl,
    tpl_lang,
    tpl_segment,
    verdict,
)
from leadflow.pipeline.catalogue import has_bits, when_bits
from leadflow.pipeline.nurture_exits import NOT_FINAL
from leadflow.pipeline.nurture_match import sources_of
from leadflow.pipeline.nurture_places import ACTIVE
from leadflow.pipeline.nurture_tables import candidate, choice, route_step
from leadflow.playbook.model import Playbook
from leadflow.playbook.vocabulary import ENGAGEMENT_BANDS, FIT_BANDS
from leadflow.types import COUNTS_AS_RECEIVED, IN_FLIGHT, MessageState, Purpose, Reason, micros
from leadflow.windows import calendar_of

#: Longest history a template or a cap may ask for is bound by the index on (lead, email).
_NAMES = [column.name for column in candidate.c]


def find_candidates(session: Session, playbook: Playbook, now: datetime) -> None:
    """INSERT nurture_candidate: enrolments on an email step whose time has come and whose mail is not on its way."""
    sources, at = sources_of(playbook), micros(now)
    score = lead_score.c
    columns = {
        "enrolment_id": enrolment.c.id,
        "lead_id": lead.c.id,
        "address_id": lead.c.address_id,
        "sequence": enrolment.c.sequence,
        "step": enrolment.c.step,
        "priority": route_step.c.priority,
        "due_at": enrolment.c.due_at,
        "template": route_step.c.template,
        "best": route_step.c.best,
        "counted": route_step.c.purpose != Purpose.SERVICE,
        "calendar_id": calendar_of(enrolment.c.lead_id),
        "seed": lead.c.seed,
        "reads": func.coalesce(lead.c.language, ""),
        "stage": lead_state.c.stage,
        "band": score.band,
        "segment_main": lead_state.c.segment_main,
        "stages": bit_of(lead_state.c.stage, [stage.name for stage in playbook.journey.stages]),
        "fits": bit_of(func.substr(score.band, 1, 1), FIT_BANDS),
        "engagements": bit_of(func.substr(score.band, 2, 1), ENGAGEMENT_BANDS),
        "has": has_bits(playbook),
        "whens": _whens(playbook, sources, now),
        "basis": lead.c.basis,
        "block": func.coalesce(_block(playbook, sources, now), _stopped(paused(sequence=enrolment.c.sequence))),
        "was": case((verdict.c.step == enrolment.c.step, verdict.c.reason), else_=null()),
        "flying": _flying(now),
    }
    waiting = _due(now)
    rows = select(*(columns[name] for name in _NAMES)).select_from(_joined(sources, waiting))
    session.execute(insert(candidate).from_select(_NAMES, rows))
    analyze(session, candidate)
    # What stood in the person's way is gone: the step is due from now, so that it is not taken for a late one.
    freed = and_(candidate.c.block.is_(None), candidate.c.was.in_([*PERSONAL, Reason.PAUSED]))
    session.execute(update(candidate).where(freed).values(due_at=at))


def _due(now: datetime) -> CTE:
    """The enrolments in question, found before anything is asked about the people in them."""
    on_step = and_(route_step.c.sequence == enrolment.c.sequence, route_step.c.step == enrolment.c.step)
    return (
        select(enrolment.c.id)
        .join(route_step, on_step)
        .where(ACTIVE, enrolment.c.due_at <= micros(now), route_step.c.purpose.is_not(None))
        .where(~_under_way(now), enrolment.c.id.not_in(select(candidate.c.enrolment_id)))
        .cte("due")
        .prefix_with("MATERIALIZED")
    )


def _joined(sources: Sources, waiting: CTE) -> Any:
    on_step = and_(route_step.c.sequence == enrolment.c.sequence, route_step.c.step == enrolment.c.step)
    return (
        sources.from_.join(enrolment, enrolment.c.lead_id == lead.c.id)
        .join(waiting, waiting.c.id == enrolment.c.id)
        .join(route_step, on_step)
        .outerjoin(verdict, verdict.c.enrolment_id == enrolment.c.id)
    )


def _stopped(pauses: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((pauses, Reason.PAUSED.value), else_=null())


def _whens(playbook: Playbook, sources: Sources, now: datetime) -> ColumnElement[int]:
    """The bits of the emails whose own `when` holds for the person."""
    bits: ColumnElement[int] = literal(0, BigInteger)
    for name, bit in when_bits(playbook).items():
        when = playbook.email_when(name)
        if when is not None:
            holds = compile_condition(when, sources, now, playbook.vocabulary)
            bits = bits + case((holds, literal(bit, BigInteger)), else_=literal(0, BigInteger))
    return bits


def _block(playbook: Playbook, sources: Sources, now: datetime) -> ColumnElement[Any]:
    """The first reason in the person, for the purpose of the step."""
    purposes = {Purpose.NURTURE, *(email.purpose for email in playbook.emails.values())}
    cases = [
        (route_step.c.purpose == purpose, first_reason(planning_blocks(playbook, sources, now, purpose)))
        for purpose in sorted(purposes)
    ]
    return case(*cases, else_=null())


def _under_way(now: datetime) -> ColumnElement[bool]:
    """The step has a message, which this sweep did not plan and which is not to be planned again."""
    again = and_(message.c.state == MessageState.SUPPRESSED, message.c.reason.in_(NOT_FINAL))
    return exists().where(
        message.c.enrolment_id == enrolment.c.id,
        message.c.step == enrolment.c.step,
        message.c.planned_at < micros(now),
        ~again,
    )


def _flying(now: datetime) -> ColumnElement[bool]:
    """Another counted mail to the address is under way, as things stood before `now`."""
    mine = (message.c.address_id == lead.c.address_id, message.c.counted, message.c.planned_at < micros(now))
    leaving = exists().where(*mine, message.c.state.in_(IN_FLIGHT))
    left = exists().where(*mine, message.c.sent_at >= micros(now), message.c.state.in_(("accepted", "unknown")))
    return and_(route_step.c.purpose != Purpose.SERVICE, or_(leaving, left))


def choose_emails(session: Session, now: datetime) -> None:
    """INSERT nurture_choice: for each candidate without one, the email it gets or why there is none."""
    names = ["enrolment_id", "template", "language", "among", "reason"]
    for rows in (_best(now), _named(now), _nothing_left()):
        session.execute(insert_missing(choice, names, rows))
    # The email is chosen, and waits: another in its place would be one that nobody meant.
    stops = and_(choice.c.reason.is_(None), paused(email=choice.c.template, stream=stream_of_choice()))
    session.execute(update(choice).where(stops).values(reason=Reason.PAUSED.value))
    analyze(session, choice)


def stream_of_choice() -> ColumnElement[Any]:
    """The purpose of the email that was chosen."""
    return select(tpl.c.purpose).where(tpl.c.template == choice.c.template).correlate(choice).scalar_subquery()


_wanted = and_(candidate.c.block.is_(None), ~candidate.c.flying)


def _best(now: datetime) -> Select[Any]:
    """The best email: by rank, then one for the main segment, then the narrowest `for`, then the name."""
    main = case((_for_segment(candidate.c.segment_main), 1), else_=0)
    order = [tpl.c.rank.desc(), main.desc(), tpl.c.specificity.desc(), tpl.c.template]
    by = candidate.c.enrolment_id
    ranked = (
        select(
            by,
            tpl.c.template,
            tpl_lang.c.lang,
            func.count().over(partition_by=by).label("among"),
            func.row_number().over(partition_by=by, order_by=order).label("place"),
        )
        .select_from(candidate.join(tpl, _fits()).join(tpl_lang, _readable()))
        .where(candidate.c.template.is_(None), _wanted, ~_received(now), ~_declined(), _has_what_it_needs())
        .subquery("ranked")
    )
    return select(ranked.c.enrolment_id, ranked.c.template, ranked.c.lang, ranked.c.among, null()).where(
        ranked.c.place == 1
    )


def _fits() -> ColumnElement[bool]:
    """Whom an email is for: lists are AND, the values in one OR."""
    when = or_(tpl.c.when_bit == 0, _any_bit(tpl.c.when_bit, candidate.c.whens))
    inside = for_segments(candidate.c.lead_id)
    return and_(tpl.c.pickable, _for_stage(), _for_fit(), _for_engagement(), inside, when)


def _any_bit(theirs: ColumnElement[int], ours: ColumnElement[int]) -> ColumnElement[bool]:
    return theirs.op("&")(ours) != 0


def _for_stage() -> ColumnElement[bool]:
    """The stage the step asks for, and the one the person is in."""
    return and_(_any_bit(tpl.c.stages, candidate.c.best), _any_bit(tpl.c.stages, candidate.c.stages))


def _for_fit() -> ColumnElement[bool]:
    return _any_bit(tpl.c.fits, candidate.c.fits)


def _for_engagement() -> ColumnElement[bool]:
    return _any_bit(tpl.c.engagements, candidate.c.engagements)


def _for_segment(segment: ColumnElement[Any]) -> ColumnElement[bool]:
    return exists().where(tpl_segment.c.template == tpl.c.template, tpl_segment.c.segment == segment)


def _readable() -> ColumnElement[bool]:
    return and_(tpl_lang.c.template == tpl.c.template, tpl_lang.c.for_lang == candidate.c.reads)


def _has_what_it_needs() -> ColumnElement[bool]:
    return tpl_lang.c.needs.op("&")(candidate.c.has) == tpl_lang.c.needs


def _declined() -> ColumnElement[bool]:
    """The reader does not want to hear of what the email is about."""
    mine = (declined.c.identity_id == candidate.c.address_id, declined.c.topic == tpl.c.topic)
    return exists().where(*mine)


def _received(now: datetime) -> ColumnElement[bool]:
    """The person had this email, in any version or language, within its `again_after`, before this sweep."""
    at = func.coalesce(type_coerce(message.c.sent_at, BigInteger), type_coerce(message.c.planned_at, BigInteger))
    return exists().where(
        message.c.lead_id == candidate.c.lead_id,
        message.c.email == tpl.c.template,
        message.c.planned_at < micros(now),
        message.c.state.in_(COUNTS_AS_RECEIVED),
        at > micros(now) - tpl.c.again_after,
    )


def _named(now: datetime) -> Select[Any]:
    """The email a step names, or why this person cannot have it."""
    reason = case(
        (or_(tpl_lang.c.lang.is_(None), _declined()), Reason.NO_MAIL_LEFT.value),
        (_received(now), Reason.ALREADY_RECEIVED.value),
        (~_has_what_it_needs(), Reason.MISSING_FIELD.value),
        else_=null(),
    )
    return (
        select(candidate.c.enrolment_id, candidate.c.template, tpl_lang.c.lang, literal(1), reason)
        .select_from(candidate.outerjoin(tpl, tpl.c.template == candidate.c.template).outerjoin(tpl_lang, _readable()))
        .where(candidate.c.template.is_not(None), _wanted)
    )


def _nothing_left() -> Select[Any]:
    chosen = select(choice.c.enrolment_id)
    return select(
        candidate.c.enrolment_id, cast(null(), Text), cast(null(), Text), literal(0), literal(Reason.NO_MAIL_LEFT.value)
    ).where(_wanted, candidate.c.enrolment_id.not_in(chosen))

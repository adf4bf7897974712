"""The numbers of the ending screen, each counted from the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from leadflow.models import account, escalation, lead, lead_score, lead_state, message
from leadflow.playbook.model import Playbook
from leadflow.types import EscalationState, Lifecycle, MessageState, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFigures:
    """planned = accepted + suppressed + failed + unknown + waiting; accepted = delivered + bounced + silent."""

    planned: int
    accepted: int
    suppressed: int
    failed: int
    unknown: int
    waiting: int
    delivered: int
    bounced: int
    silent: int
    #: Addresses that got the same email twice from one step.
    twice: int


def mail_figures(session: Session) -> MailFigures:
    """All messages there ever were, by state and by what became of the accepted ones."""
    states = dict(_pairs(session, select(message.c.state, func.count()).group_by(message.c.state)))
    news = dict(
        _pairs(
            session,
            select(message.c.delivery, func.count())
            .where(message.c.state == MessageState.ACCEPTED)
            .group_by(message.c.delivery),
        )
    )
    flying = (MessageState.PLANNED, MessageState.CLAIMED, MessageState.SENDING)
    bounced = news.get("bounced", 0)
    silent = news.get(None, 0) + news.get("processed", 0) + news.get("deferred", 0)
    accepted = states.get(MessageState.ACCEPTED, 0)
    repeated = (
        select(message.c.address_id)
        .where(message.c.state.in_([MessageState.ACCEPTED, MessageState.UNKNOWN]))
        .group_by(message.c.address_id, message.c.email, message.c.step, message.c.enrolment_id)
        .having(func.count() > 1)
        .subquery()
    )
    return MailFigures(
        planned=sum(states.values()),
        accepted=accepted,
        suppressed=states.get(MessageState.SUPPRESSED, 0),
        failed=states.get(MessageState.FAILED, 0),
        unknown=states.get(MessageState.UNKNOWN, 0),
        waiting=sum(states.get(state, 0) for state in flying),
        delivered=accepted - bounced - silent,
        bounced=bounced,
        silent=silent,
        twice=session.scalar(select(func.count()).select_from(repeated)) or 0,
    )


def standing(session: Session) -> Mapping[tuple[str, str], int]:
    """(lifecycle, stage) → people; customers and disqualified under stage ''."""
    rows = session.execute(
        select(lead_state.c.lifecycle, lead_state.c.stage, func.count()).group_by(
            lead_state.c.lifecycle, lead_state.c.stage
        )
    )
    counts: dict[tuple[str, str], int] = {}
    for life, stage, n in rows:
        place = (life, stage if life in (Lifecycle.LEAD, Lifecycle.PROSPECT) else "")
        counts[place] = counts.get(place, 0) + n
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One person's mail, for showing that it changes with the person."""

    segment: str
    band: str
    stage: str
    language: str
    email: str


def examples(session: Session, playbook: Playbook, count: int = 4) -> list[Example]:
    """The newest chosen mails of `count` people who differ in segment, band, stage or language, all different."""
    columns = [message.c.email, message.c.language, lead_state.c.segment_main, lead_state.c.stage, lead_score.c.band]
    rows = session.execute(
        select(*columns)
        .join(lead_state, lead_state.c.lead_id == message.c.lead_id)
        .join(lead_score, lead_score.c.lead_id == message.c.lead_id)
        .where(lead_state.c.segment_main.is_not(None), message.c.state.in_(["planned", "accepted"]))
        .order_by(message.c.planned_at.desc(), message.c.email, message.c.id)
    )
    found: dict[str, Example] = {}
    for row in rows:
        email = playbook.emails.get(row.email)
        fits = email is not None and email.pick == "best" and row.segment_main in email.audience.segments
        if fits and row.stage in (email.audience.stage if email else ()):
            found.setdefault(
                f"{row.email}/{row.language}",
                Example(
                    segment=row.segment_main, band=row.band, stage=row.stage, language=row.language, email=row.email
                ),
            )
    differing: dict[tuple[str, str], Example] = {}
    for example in found.values():
        differing.setdefault((example.segment, example.stage), example)
    return sorted(differing.values(), key=lambda e: (e.stage, e.segment))[:count]


def by_stage(session: Session, now: datetime) -> Mapping[str, int]:
    """Stage → mails planned at `now`."""
    return dict(
        _pairs(
            session,
            select(lead_state.c.stage, func.count())
            .join(message, message.c.lead_id == lead_state.c.lead_id)
            .where(message.c.planned_at == micros(now))
            .group_by(lead_state.c.stage),
        )
    )


def handed_over(session: Session, since: datetime) -> Sequence[Any]:
    """Hand-overs opened since an instant, with names for the terminal of the person who asks."""
    return session.execute(
        select(escalation, lead.c.first_name, lead.c.last_name, account.c.name.label("company"))
        .join(lead, lead.c.id == escalation.c.lead_id)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .where(escalation.c.opened_at >= micros(since))
        .order_by(escalation.c.opened_at.desc(), escalation.c.lead_id)
    ).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesFigures:
    """given = accepted + rejected + lost + lapsed + late + waiting; won and still working ones count as accepted."""

    given: int
    accepted: int
    rejected: int
    lapsed: int
    late: int
    waiting: int
    #: Answered after their time, or reminded of: counted above under what they are now.
    ever_late: int


def sales_figures(session: Session, now: datetime) -> SalesFigures:
    """All hand-overs there ever were."""
    states = dict(_pairs(session, select(escalation.c.state, func.count()).group_by(escalation.c.state)))
    unanswered = and_(escalation.c.state == EscalationState.WAITING, escalation.c.due_at <= micros(now))
    late = session.scalar(select(func.count()).select_from(escalation).where(unanswered)) or 0
    slow = or_(escalation.c.answered_at > escalation.c.due_at, escalation.c.reminders > 0, unanswered)
    ever_late = session.scalar(select(func.count()).select_from(escalation).where(slow)) or 0
    taken = (EscalationState.ACCEPTED, EscalationState.LATER, EscalationState.WON, EscalationState.LOST)
    return SalesFigures(
        given=sum(states.values()),
        accepted=sum(states.get(state, 0) for state in taken),
        rejected=states.get(EscalationState.REJECTED, 0),
        lapsed=states.get(EscalationState.LAPSED, 0),
        late=late,
        waiting=states.get(EscalationState.WAITING, 0) - late,
        ever_late=ever_late,
    )


def _pairs(session: Session, query: Any) -> list[tuple[Any, int]]:
    return [(row[0], int(row[1])) for row in session.execute(query)]

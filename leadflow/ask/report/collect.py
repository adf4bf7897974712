"""Asks the database for one table of the report, or for all that its page shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.ask.funnel import Funnel, funnel
from leadflow.ask.report.emails import Edit, EmailFigures, email_figures
from leadflow.ask.report.flows import Flow, Week, stage_flow, standing, weekly_mails
from leadflow.ask.report.funnel_sheets import funnel_sheet, period_words
from leadflow.ask.report.odd import Odd, odd_people
from leadflow.ask.report.other_sheets import emails_sheet, odd_sheet, sales_sheet
from leadflow.ask.report.reached import GROUPS, Question
from leadflow.ask.report.sales import RepFigures, rep_figures
from leadflow.ask.report.sheet import Sheet
from leadflow.models import sweep
from leadflow.playbook.model import Playbook
from leadflow.text import _

Edits = Mapping[str, Edit]


def sheet_of(session: Session, playbook: Playbook, question: Question, view: str, edits: Edits) -> Sheet:
    """The table called `view`: funnel, emails, sales or odd. `edits` tells who last edited which email."""
    zone = ZoneInfo(playbook.office.zone)
    match view:
        case "emails":
            sheet = emails_sheet(email_figures(session, playbook, question.period), zone, edits)
            return replace(sheet, lead=_("sent {when}").format(when=period_words(question)))
        case "sales":
            sheet = sales_sheet(rep_figures(session, playbook, question.period, asked_at(question)))
            return replace(sheet, lead=_("given {when}").format(when=period_words(question)))
        case "odd":
            return odd_sheet(odd_people(session, question.period, asked_at(question)), zone)
    return funnel_sheet(funnel(session, question), playbook)


def asked_at(question: Question) -> datetime:
    """The instant a question is asked as of."""
    if question.now is None:
        raise ValueError("this is asked as of an instant")
    return question.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """What the page shows."""

    question: Question
    #: By what they are grouped → the funnel; the one asked for first.
    funnels: Mapping[str, Funnel]
    flow: Flow | None
    standing: Mapping[tuple[str, str], int]
    weeks: tuple[Week, ...]
    emails: tuple[EmailFigures, ...]
    edits: Edits
    reps: tuple[RepFigures, ...]
    odd: tuple[Odd, ...]


def everything(session: Session, playbook: Playbook, question: Question, edits: Edits) -> Everything:
    """All of the report, in a number of statements that does not grow with the people."""
    groups = (question.by, *(by for by in GROUPS if by != question.by))
    asked = {by: _grouped(question, by) for by in groups}
    return Everything(
        question=question,
        funnels={by: funnel(session, one) for by, one in asked.items()},
        flow=stage_flow(session, question),
        standing=standing(session, question.period),
        weeks=tuple(weekly_mails(session, question.period, question.zone)),
        emails=tuple(email_figures(session, playbook, question.period)),
        edits=edits,
        reps=tuple(rep_figures(session, playbook, question.period, asked_at(question))),
        odd=tuple(odd_people(session, question.period, asked_at(question))),
    )


def _grouped(question: Question, by: str) -> Question:
    return replace(question, by=by)


def last_sweep(session: Session) -> datetime | None:
    """The newest instant at which a sweep looked at everyone."""
    found: datetime | None = session.scalar(select(func.max(sweep.c.at)).where(sweep.c.scope == "everyone"))
    return found

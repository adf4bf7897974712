"""For whom a sequence names a mail that is not written in a language of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.orm import Session

from leadflow.models import decision, enrolment, lead, tpl_lang, verdict
from leadflow.playbook.model import Playbook
from leadflow.steps.email import EmailStep
from leadflow.types import Reason, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """People who are skipped, or wait, since this email has no body for them."""

    email: str
    language: str
    people: int

    @property
    def name(self) -> str:
        """`welcome × en`."""
        return f"{self.email} × {self.language or '–'}"


def unreadable_mails(session: Session, playbook: Playbook, now: datetime) -> tuple[Unreadable, ...]:
    """What the sweep at `now` could not give its readers, the most people first; over the catalogue as last loaded."""
    named = {
        f"{sequence.name}/{step.name}": step.email
        for sequence in playbook.sequences
        for step in sequence.steps
        if isinstance(step, EmailStep) and step.email is not None
    }
    if not named:
        return ()
    written = {
        (row.template, row.for_lang) for row in session.execute(select(tpl_lang.c.template, tpl_lang.c.for_lang))
    }
    people: dict[tuple[str, str], int] = {}
    for subject, reads, n in session.execute(_without_mail(now, named)):
        if (named[subject], reads) not in written:
            people[named[subject], reads] = people.get((named[subject], reads), 0) + int(n)
    found = [Unreadable(email=email, language=reads, people=n) for (email, reads), n in people.items()]
    return tuple(sorted(found, key=lambda one: (-one.people, one.name)))


def _without_mail(now: datetime, named: Mapping[str, str]) -> Select[Any]:
    """(step, language, people) of those skipped at `now` because nothing was left, and of those who wait for it."""
    skipped = select(decision.c.lead_id, decision.c.subject).where(
        decision.c.at == micros(now), decision.c.kind == "skip", decision.c.reason == Reason.NO_MAIL_LEFT
    )
    subject = enrolment.c.sequence + literal("/") + verdict.c.step
    waiting = (
        select(enrolment.c.lead_id, subject)
        .join(verdict, verdict.c.enrolment_id == enrolment.c.id)
        .where(enrolment.c.ended_at.is_(None), verdict.c.reason == Reason.NO_MAIL_LEFT)
    )
    both = union_all(skipped, waiting).subquery("without_mail")
    reads = func.coalesce(lead.c.language, "")
    return (
        select(both.c.subject, reads, func.count(both.c.lead_id.distinct()))
        .join(lead, lead.c.id == both.c.lead_id)
        .where(both.c.subject.in_(sorted(named)))
        .group_by(both.c.subject, reads)
    )

"""A small world to nurture in: emails, sequences, nights, and a delivery that always succeeds."""

from collections.abc import Sequence as Listed
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadflow.conditions.tree import Condition, FieldLeaf
from leadflow.email.catalog import Email, For
from leadflow.models import decision, enrolment, lead_state, message, verdict
from leadflow.pipeline.nurture import nurture_leads
from leadflow.playbook.model import Playbook, Reentry, Sequence
from leadflow.steps.base import Step
from leadflow.steps.email import EmailStep
from leadflow.steps.wait import WaitStep
from leadflow.types import EVERYONE, Outcome, Scope, Span, SpanKind
from tests.build import NIGHT, add_lead, playbook

IN_DISCOVERY = FieldLeaf(field="stage", operator="is", value="discovery")
OPTED_IN: dict[str, Any] = {"basis": "consent", "source": "form", "language": "fr"}


def days(n: int) -> Span:
    """So many business days."""
    return Span(kind=SpanKind.BUSINESS_DAYS, amount=n)


def email(name: str, **parts: Any) -> Email:
    """An email in French and English for anybody; `stage`, `segments` … narrow its audience."""
    audience = For(**{key: parts.pop(key) for key in list(parts) if key in For.__slots__})
    languages = parts.pop("written_in", ("fr", "en"))
    plain: dict[str, Any] = {
        "subject": dict.fromkeys(languages, name),
        "bodies": dict.fromkeys(languages, "…"),
        "kinds": dict.fromkeys(languages, "md"),
        "version": f"{name}-1",
    }
    return Email(name=name, audience=audience, **plain | parts)


def sequence(
    name: str = "discovery", *, steps: Listed[Step], enter: Condition = IN_DISCOVERY, **parts: Any
) -> Sequence:
    """A sequence that those who match already enter at once."""
    plain: dict[str, Any] = {"title": {"en": name}, "track": "nurture", "existing_per_day": None}
    return Sequence(name=name, enter=enter, steps=tuple(steps), **plain | parts)


WELCOME = EmailStep(name="welcome", email="welcome")
WAIT = WaitStep(name="wait", span=days(3))
LEARN = EmailStep(name="learn", best_for="discovery")
STEPS = (WELCOME, WAIT, LEARN)
ONCE = Reentry()


def book(*sequences: Sequence, emails: Listed[Email] = (), **parts: Any) -> Playbook:
    """A playbook of these sequences (welcome, three days, the best email) and emails."""
    every = (email("welcome", pick="named"), *(emails or (email("guide"),)))
    chosen = sequences or (sequence(steps=STEPS),)
    ordered = tuple(sorted(chosen, key=lambda s: (-s.priority, s.name)))
    return playbook(sequences=ordered, emails={e.name: e for e in every}, **parts)


class World:
    """A database, a playbook, and nights to live."""

    def __init__(self, session: Session, playbook: Playbook, now: datetime = NIGHT) -> None:
        self.session, self.playbook, self.now = session, playbook, now

    def lead(self, lead_id: int = 1, **columns: Any) -> int:
        """Somebody who may be mailed in French."""
        return add_lead(self.session, lead_id, **OPTED_IN | columns)

    def sweep(self, scope: Scope = EVERYONE) -> Outcome:
        """The nurture phase at the present instant."""
        return nurture_leads(self.session, self.playbook, self.now, scope)

    def night(self, n: int = 1) -> Outcome:
        """The n-th night after this one, deliveries in between; ends with a sweep."""
        self.now += timedelta(days=n)
        self.deliver()
        return self.sweep()

    def deliver(self) -> None:
        """Everything due by now is accepted at the instant it was planned for."""
        due = (message.c.state == "planned", message.c.send_at <= self.now)
        self.session.execute(update(message).where(*due).values(state="accepted", sent_at=message.c.send_at))

    def state(self, lead_id: int = 1, **columns: Any) -> None:
        """Change the state of a lead."""
        self.session.execute(update(lead_state).where(lead_state.c.lead_id == lead_id).values(columns))

    def emails(self, lead_id: int = 1) -> list[tuple[str, str]]:
        """(email, state) of a lead's messages, oldest first."""
        rows = select(message.c.email, message.c.state).where(message.c.lead_id == lead_id).order_by(message.c.id)
        return [(row.email, row.state) for row in self.session.execute(rows)]

    def enrolments(self, lead_id: int = 1) -> list[tuple[str, str, str | None]]:
        """(sequence, state, present step or end) of a lead's enrolments, oldest first."""
        rows = select(enrolment).where(enrolment.c.lead_id == lead_id).order_by(enrolment.c.id)
        return [(r.sequence, r.state, r.end_reason or r.step) for r in self.session.execute(rows)]

    def verdict(self, lead_id: int = 1) -> str | None:
        """Why a lead's mail waits."""
        found = select(verdict.c.reason).join(enrolment, enrolment.c.id == verdict.c.enrolment_id)
        return self.session.scalar(found.where(enrolment.c.lead_id == lead_id))

    def decisions(self, kind: str, lead_id: int = 1) -> list[tuple[str, str]]:
        """(subject, reason) of a lead's decisions of one kind."""
        rows = select(decision.c.subject, decision.c.reason).where(
            decision.c.lead_id == lead_id, decision.c.kind == kind
        )
        return [(row.subject, row.reason) for row in self.session.execute(rows.order_by(decision.c.at))]

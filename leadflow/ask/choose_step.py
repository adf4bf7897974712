"""Which step a choice is made for: the one that is named, the one that was judged at an instant, or the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.dry import next_email
from leadflow.errors import UsageError
from leadflow.models import decision, enrolment, message
from leadflow.playbook.model import Playbook, Sequence
from leadflow.reading import did_you_mean
from leadflow.steps.email import EmailStep
from leadflow.text import _
from leadflow.types import COUNTS_AS_RECEIVED, EnrolmentState, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """An email step, and the sequence it stands in."""

    sequence: Sequence
    step: EmailStep

    @property
    def name(self) -> str:
        """`evaluation/proof-1`."""
        return f"{self.sequence.name}/{self.step.name}"


def step_called(playbook: Playbook, word: str) -> Asking:
    """The email step `sequence/step`, or the only one called `step`; UsageError with the nearest right word."""
    within, slash, name = word.rpartition("/")
    sequences = [_sequence_called(playbook, within)] if slash else list(playbook.sequences)
    found = [Asking(sequence=one, step=step) for one in sequences for step in _emails(one) if step.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(asking.name for asking in found)
        raise UsageError(
            _("{step} is a step of several sequences: write one of {names}").format(step=name, names=names)
        )
    if any(one.step(name) for one in sequences):
        told = _("step {step} sends no email.").format(step=word)
    else:
        told = _("no step is called {step}.").format(step=word)
    raise UsageError(told + did_you_mean(name, sorted({step.name for one in sequences for step in _emails(one)})))


def _sequence_called(playbook: Playbook, name: str) -> Sequence:
    found = playbook.sequence(name)
    if found is None:
        told = _("no sequence is called {sequence}.").format(sequence=name)
        raise UsageError(told + did_you_mean(name, [sequence.name for sequence in playbook.sequences]))
    return found


def _emails(sequence: Sequence) -> list[EmailStep]:
    return [step for step in sequence.steps if isinstance(step, EmailStep)]


def next_choosing(asking: Asking) -> Asking | None:
    """The step after this one that asks for the best email; None where none does."""
    steps = _emails(asking.sequence)
    later = (step for step in steps[steps.index(asking.step) + 1 :] if step.best_for)
    return next((Asking(sequence=asking.sequence, step=step) for step in later), None)


def next_asking(session: Session, playbook: Playbook, lead_id: int, at: datetime) -> Asking | None:
    """The step that a sweep at `at` judged, else the next email step of where they stand now; None for nowhere."""
    return next(_judged(session, playbook, lead_id, at), None) or _ahead(session, playbook, lead_id)


def _judged(session: Session, playbook: Playbook, lead_id: int, at: datetime) -> Iterator[Asking]:
    """The steps decided about at `at`: a planned mail before one that was passed over."""
    mine = (decision.c.lead_id == lead_id, decision.c.at == micros(at), decision.c.kind.in_(["plan", "skip"]))
    for subject in session.scalars(select(decision.c.subject).where(*mine).order_by(decision.c.kind)):
        within, _slash, name = subject.rpartition("/")
        sequence = playbook.sequence(within)
        step = sequence.step(name) if sequence else None
        if sequence and isinstance(step, EmailStep):
            yield Asking(sequence=sequence, step=step)


def _ahead(session: Session, playbook: Playbook, lead_id: int) -> Asking | None:
    chosen = (
        select(message.c.id)
        .where(message.c.enrolment_id == enrolment.c.id, message.c.step == enrolment.c.step)
        .where(message.c.state.in_(COUNTS_AS_RECEIVED))
        .exists()
    )
    live = (enrolment.c.lead_id == lead_id, enrolment.c.ended_at.is_(None), enrolment.c.step.is_not(None))
    query = select(enrolment.c.sequence, enrolment.c.step, chosen).where(*live)
    standing = (enrolment.c.state != EnrolmentState.ACTIVE, enrolment.c.due_at.is_(None), enrolment.c.due_at)
    for name, step_name, has_mail in session.execute(query.order_by(*standing, enrolment.c.id)):
        sequence = playbook.sequence(name)
        step = sequence.step(step_name) if sequence else None
        if sequence is None or step is None or (has_mail and not step.goes_on):
            continue
        following = next_email(sequence, sequence.steps.index(step) + bool(has_mail))
        if following is not None:
            return Asking(sequence=sequence, step=following)
    return None

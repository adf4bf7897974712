"""Phase nurture: who enters and leaves the sequences, how far each gets, and which mail is planned for when."""

from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from leadflow.models import decision, enrolment, verdict
from leadflow.pipeline.catalogue import load_catalogue
from leadflow.pipeline.nurture_arbiter import arbitrate
from leadflow.pipeline.nurture_choice import choose_emails, find_candidates
from leadflow.pipeline.nurture_entries import enter_sequences
from leadflow.pipeline.nurture_exits import (
    cancel_messages,
    end_enrolments,
    expire_messages,
    pause_enrolments,
    record_exits,
    resume_enrolments,
)
from leadflow.pipeline.nurture_files import end_removed, follow_files, rebind_messages, rename_steps
from leadflow.pipeline.nurture_match import find_matches, find_shifts
from leadflow.pipeline.nurture_skips import skip_steps
from leadflow.pipeline.nurture_steps import advance, complete_steps
from leadflow.pipeline.nurture_tables import prepare_tables, touched
from leadflow.playbook.model import Playbook, Sequence
from leadflow.steps.base import Step
from leadflow.steps.email import EmailStep
from leadflow.steps.escalate import EscalateStep
from leadflow.steps.wait import WaitStep
from leadflow.types import Outcome, Phase, Reason, Scope, micros
from leadflow.windows import ensure_calendars


def nurture_leads(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> Outcome:
    """Take everybody as far as they can go tonight; the same statements whatever the number of leads."""
    ensure_calendars(session, playbook, now)
    load_catalogue(session, playbook)
    prepare_tables(session, playbook)
    rename_steps(session, playbook)
    find_matches(session, playbook, now, scope)
    rebind_messages(session, playbook, now)
    expire_messages(session, playbook, now)
    complete_steps(session, playbook, now)
    _enter_and_leave(session, playbook, now, scope)
    follow_files(session, now)
    cancel_messages(session, playbook, now)
    advance(session, playbook, now)
    for _round in range(longest_chain(playbook)):
        find_candidates(session, playbook, now)
        choose_emails(session, now)
        skip_steps(session, playbook, now)
        advance(session, playbook, now)
    arbitrate(session, playbook, now)
    record_exits(session, playbook, now)
    return _outcome(session, now)


def _enter_and_leave(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> None:
    end_removed(session, playbook, now)
    find_shifts(session, playbook)
    end_enrolments(session, now)
    enter_sequences(session, playbook, now, scope)
    pause_enrolments(session, now)
    resume_enrolments(session, playbook, now)


def longest_chain(playbook: Playbook) -> int:
    """How many email steps can follow each other without a wait: a skipped one leads straight to the next."""
    return max((_chain(s, step, frozenset()) for s in playbook.sequences for step in s.steps), default=0)


def _chain(sequence: Sequence, step: Step | None, seen: frozenset[str]) -> int:
    if step is None or step.name in seen or isinstance(step, WaitStep | EscalateStep):
        return 0
    onward = max(_chain(sequence, target, seen | {step.name}) for target in sequence.onward(step))
    return onward + isinstance(step, EmailStep)


_WORDS = {
    ("plan", ""): "planned",
    ("enrol", ""): "enrolled",
    ("exit", "finished"): "finished",
    ("exit", ""): "exited",
    ("pause", ""): "paused",
    ("resume", ""): "resumed",
    ("suppress", ""): "suppressed",
    ("skip", ""): "passed_over",
}


def _outcome(session: Session, now: datetime) -> Outcome:
    """What this sweep did, counted from what it recorded."""
    counts: dict[str, int] = dict.fromkeys(_WORDS.values(), 0)
    for kind, reason, n in session.execute(_decided(now)):
        word = _WORDS.get((kind, reason)) or _WORDS.get((kind, ""))
        if word:
            counts[word] += n
    waiting = (
        select(verdict.c.reason, func.count())
        .join(enrolment, enrolment.c.id == verdict.c.enrolment_id)
        .where(enrolment.c.lead_id.in_(select(touched.c.lead_id)))
        .group_by(verdict.c.reason)
        .order_by(verdict.c.reason)
    )
    skipped = {Reason(reason): n for reason, n in session.execute(waiting)}
    counts["deferred"] = sum(skipped.get(reason, 0) for reason in (Reason.PRESSURE, Reason.WINDOW, Reason.OUTRANKED))
    read = session.scalar(select(func.count()).select_from(touched)) or 0
    return Outcome(phase=Phase.NURTURE, read=read, changed=counts["planned"], counts=counts, skipped=skipped)


def _decided(now: datetime) -> Select[tuple[str, str, int]]:
    mine = decision.c.lead_id.in_(select(touched.c.lead_id))
    return (
        select(decision.c.kind, decision.c.reason, func.count())
        .where(decision.c.at == micros(now), mine)
        .group_by(decision.c.kind, decision.c.reason)
    )

"""The reasons that lie in the way through the sequences, each with its evidence and what lifts it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time, timedelta

from sqlalchemy import and_, func, or_, select

from leadflow.ask.case import Case
from leadflow.ask.dates import date_of, moment_of, span_of, weekday_of
from leadflow.ask.flips import flip_words
from leadflow.ask.told import Told
from leadflow.ask.words import end_words
from leadflow.conditions.evaluate import holds
from leadflow.conditions.prove import because, prove
from leadflow.conditions.tree import Condition
from leadflow.models import enrolment, lead, pause, sequence_existing, sweep
from leadflow.playbook.model import Sequence
from leadflow.steps.email import EmailStep
from leadflow.steps.wait import WaitStep
from leadflow.text import _, ngettext
from leadflow.types import EnrolmentEnd, Purpose, Reason, instant_of, micros


def _not_due(case: Case) -> Told:
    place, step = case.place, case.step
    if place is None or step is None:
        return Told(evidence="", lifts=_("the next sweep goes on"))
    where = _("{sequence} / {step}").format(sequence=place["sequence"], step=place["step"])
    due = place["due_at"]
    if due is None or due <= case.view.now or not isinstance(step, WaitStep):
        return Told(evidence=where, lifts=_("the next sweep goes on"))
    evidence = _("{place} runs since {date}, {span}").format(
        place=where, date=date_of(place["completed_at"], case.view), span=span_of(step.span)
    )
    midnight = due.astimezone(case.view.zone).time() == time()
    date = weekday_of(due, case.view) if midnight else moment_of(due, case.view)
    return Told(evidence=evidence, lifts=_("due on {date}").format(date=date), lifts_at=due)


def _finished(case: Case) -> Told:
    place, sequence = case.place, case.sequence
    if place is None:
        return Told(evidence="", lifts=_("lifts with a sequence they match, or new content"))
    evidence = _("{sequence} ended on {date}, {reason}").format(
        sequence=place["sequence"],
        date=date_of(place["ended_at"], case.view),
        reason=end_words(EnrolmentEnd(place["end_reason"])),
    )
    again = _enters_again(case, sequence, place["entry"], place["ended_at"]) if sequence else None
    if again is None:
        return Told(evidence=evidence, lifts=_("lifts with a sequence they match, or new content"))
    return Told(
        evidence=evidence,
        lifts=_("lifts on {date}, when they may enter it again").format(date=weekday_of(again, case.view)),
        lifts_at=again,
    )


def _enters_again(case: Case, sequence: Sequence, entry: int, ended: datetime) -> datetime | None:
    """When the sequence takes them once more, if they match it as they do tonight."""
    again = sequence.reentry
    if not again.again or (again.at_most is not None and entry >= again.at_most):
        return None
    if not holds(sequence.enter, case.scored.person, case.view):
        return None
    return max(case.view.now, instant_of(micros(ended) + again.cool_down))


def _no_sequence(case: Case) -> Told:
    since = select(sweep.c.at).where(sweep.c.at > micros(case.subject.row["created_at"]), sweep.c.scope == "everyone")
    if case.session.execute(since.limit(1)).first() is None:
        return Told(evidence=_("no night has looked at them yet"), lifts=_("the next sweep goes on"))
    near = list(_refusals(case))
    evidence = "; ".join(words for words, _flip in near) or _("no sequence is live")
    flips = [flip for _words, flip in near if flip]
    lifts = _("lifts with a sequence they match")
    return Told(evidence=evidence, lifts=_named(lifts, flips[0]) if flips else lifts)


def _refusals(case: Case) -> Iterator[tuple[str, str]]:
    """Each live sequence: why it does not take them, and the least that would make it."""
    for sequence in case.playbook.sequences:
        if not sequence.live:
            continue
        if holds(sequence.enter, case.scored.person, case.view):
            known = _("matched already when it went live (existing: none)")
            yield _named(sequence.name, known), ""
        else:
            yield _named(sequence.name, _fails(case, sequence.enter)), _flip(case, sequence.enter)


def _named(what: str, words: str) -> str:
    return _("{what}: {words}").format(what=what, words=words)


def _fails(case: Case, condition: Condition) -> str:
    proof = prove(condition, case.scored.person, case.view)
    return because(proof)


def _flip(case: Case, condition: Condition) -> str:
    return flip_words(case.playbook, case.scored, condition, case.view)


def _ramp(case: Case) -> Told:
    queue = sequence_existing.c
    mine = select(queue.sequence).where(queue.lead_id == case.subject.lead_id)
    names = set(case.session.scalars(mine))
    sequence = next((s for s in case.playbook.sequences if s.name in names and s.existing_per_day), None)
    if sequence is None or not sequence.existing_per_day:
        return Told(evidence="", lifts=_("lifts when the ramp of the sequence reaches this person"))
    before, pace = _before(case, sequence.name), sequence.existing_per_day
    evidence = _("{sequence} takes {pace} a day of those who were there before it, and they come next").format(
        sequence=sequence.name, pace=pace
    )
    ahead = ngettext(
        "{sequence} takes {pace} a day of those who were there before it, and {n} person comes first",
        "{sequence} takes {pace} a day of those who were there before it, and {n} people come first",
        before,
    ).format(sequence=sequence.name, pace=pace, n=before)
    turn = _days_on(case, before // pace + 1)
    return Told(
        evidence=ahead if before else evidence,
        lifts=_("their turn comes on {date} at the latest").format(date=weekday_of(turn, case.view)),
        lifts_at=turn,
    )


def _before(case: Case, sequence: str) -> int:
    """How many of the queue come before them: the order is that of the seeds."""
    mine = case.subject.row
    ahead = (lead.c.seed < mine["seed"]) | ((lead.c.seed == mine["seed"]) & (lead.c.id < mine["id"]))
    queue = sequence_existing.join(lead, lead.c.id == sequence_existing.c.lead_id)
    count = select(func.count()).select_from(queue).where(sequence_existing.c.sequence == sequence, ahead)
    return case.session.scalar(count) or 0


def _days_on(case: Case, days: int) -> datetime:
    """So many nights on: the ramp counts days of the office."""
    later = case.view.now.astimezone(case.view.zone).date() + timedelta(days=days)
    return datetime.combine(later, time(), case.view.zone)


def _paused(case: Case) -> Told:
    by_hand = _by_hand(case)
    if by_hand is not None:
        return by_hand
    place, sequence = case.place, case.sequence
    if place is None or sequence is None or place["paused_at"] is None:
        return Told(evidence="", lifts=_("lifts when the sequence goes on"))
    evidence = _("{sequence} / {step} stands still since {date}, {proof}").format(
        sequence=sequence.name,
        step=place["step"] or "–",
        date=date_of(place["paused_at"], case.view),
        proof=_fails(case, sequence.enter),
    )
    flip = _flip(case, sequence.enter)
    lifts = _("lifts when its entry holds again")
    return Told(evidence=evidence, lifts=_named(lifts, flip) if flip else lifts)


def _by_hand(case: Case) -> Told | None:
    """Somebody typed `leadflow pause`."""
    sequence = case.place["sequence"] if case.place else ""
    step = case.step
    email = case.mail["email"] if case.mail else step.email if isinstance(step, EmailStep) else ""
    written = case.playbook.emails.get(email or "")
    stream = case.mail["purpose"] if case.mail else written.purpose if written else Purpose.NURTURE
    stops = or_(
        pause.c.kind == "all",
        and_(pause.c.kind == "sequence", pause.c.name == sequence),
        and_(pause.c.kind == "email", pause.c.name == (email or "")),
        and_(pause.c.kind == "stream", pause.c.name == stream),
    )
    lasting = select(pause).where(pause.c.ended_at.is_(None), stops).order_by(pause.c.since, pause.c.id)
    row = case.session.execute(lasting).mappings().first()
    if row is None:
        return None
    what = f"--{row['kind']} {row['name']}".rstrip()
    by = f", {row['by']}" if row["by"] else ""
    return Told(
        evidence=_("leadflow pause {what}, since {date}{by}").format(
            what=what, date=moment_of(row["since"], case.view), by=by
        ),
        lifts=_("lifts with leadflow resume {what}").format(what=what),
    )


def _parked(case: Case) -> Told:
    place = case.place
    if place is None:
        return Told(evidence="", lifts=_("lifts when a file says where they go"))
    evidence = _("no file of {sequence} has the step {step} any more").format(
        sequence=place["sequence"], step=place["step"] or place["position"] or "–"
    )
    return Told(
        evidence=evidence,
        lifts=_("lifts when the file says `was: {step}` or `removed:`; then that step goes on").format(
            step=place["position"] or place["step"] or "–"
        ),
        final=True,
    )


def _exited(case: Case) -> Told:
    mail = case.mail
    ended = case.session.execute(
        select(enrolment.c.sequence, enrolment.c.ended_at, enrolment.c.end_reason).where(
            enrolment.c.id == (mail["enrolment_id"] if mail else case.place["id"] if case.place else 0)
        )
    ).first()
    if ended is None or ended.ended_at is None:
        return Told(evidence="", lifts=_("lifts with the next sequence"))
    evidence = _("{email} was planned, but {sequence} ended on {date}, {reason}").format(
        email=mail["email"] if mail else "–",
        sequence=ended.sequence,
        date=date_of(ended.ended_at, case.view),
        reason=end_words(EnrolmentEnd(ended.end_reason)),
    )
    return Told(evidence=evidence, lifts=_("lifts with the next sequence"))


TELLS: Mapping[Reason, Callable[[Case], Told]] = {
    Reason.NOT_DUE: _not_due,
    Reason.FINISHED: _finished,
    Reason.NO_SEQUENCE: _no_sequence,
    Reason.RAMP: _ramp,
    Reason.PAUSED: _paused,
    Reason.PARKED: _parked,
    Reason.EXITED: _exited,
}

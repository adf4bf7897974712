"""From which emails one is chosen for a person: what each asks, what they had already, which wins and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from leadflow.ask.choose_step import Asking, next_asking, next_choosing, step_called
from leadflow.ask.heading import short
from leadflow.ask.mailable import mailable
from leadflow.ask.person import find_lead, subject_at
from leadflow.ask.scores import score_person
from leadflow.ask.shelf import Kept, Mark, Reader, asked_for, had_of, lacks_of, marks_of, reader_of
from leadflow.conditions.evaluate import View
from leadflow.conditions.prove import because, prove
from leadflow.email.catalog import Email
from leadflow.email.variants import variant_for
from leadflow.playbook.model import Playbook
from leadflow.text import _, ngettext
from leadflow.types import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An email a step could send, and what came of everything that is asked before it does."""

    email: Email
    for_main: bool
    marks: tuple[Mark, ...]
    #: The body they would read; None where none is in their language.
    language: str | None
    #: The variant they would get; '' for the original.
    variant: str
    #: When they last had it, and from when they may have it again.
    had: datetime | None
    again_from: datetime | None
    #: Dotted names it cannot do without and that are not known of them.
    lacks: tuple[str, ...]
    #: What its own `when` comes down to; '' without one.
    when: str

    @property
    def fits(self) -> bool:
        """Whether it may be chosen."""
        return all(mark.holds for mark in self.marks)

    @property
    def kept(self) -> Kept:
        """As choosing orders it."""
        return Kept(email=self.email, for_main=self.for_main)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """The answer: for whom, for which step, from which emails."""

    lead_id: int
    #: Who, in a few words.
    who: str
    #: None for somebody who stands before no email step: then their stage is asked for.
    asking: Asking | None
    #: Where the step names its email: the next one that chooses.
    later: Asking | None
    #: The stage the best email is wanted for; None for a step that names its email.
    best_for: str | None
    reader: Reader
    #: Those that may be chosen first, the best of them first of all.
    candidates: tuple[Candidate, ...]
    #: Why the person gets no mail at all for now, whatever is chosen.
    blocked: Reason | None
    view: View

    @property
    def fitting(self) -> tuple[Candidate, ...]:
        """Those that may be chosen, the best first."""
        return tuple(one for one in self.candidates if one.fits)

    @property
    def winner(self) -> Candidate | None:
        """The email they get."""
        return next(iter(self.fitting), None)

    @property
    def why(self) -> str:
        """What made the winner win, against the one that comes next."""
        match self.fitting:
            case () if len(self.candidates) == 1:
                return _("the only candidate is not for this person")
            case ():
                return _("none of them is for this person")
            case (_only,):
                return _("the step names it") if self.best_for is None else _("it is the only one that fits")
            case (first, second, *_others):
                return _told_apart(first, second, self.reader)
        raise AssertionError


def choose(session: Session, playbook: Playbook, who: str, word: str | None, now: datetime) -> Choosing:
    """What would be chosen for `who` at `now`, for the step called `word`; by default for their next one.

    What was planned before `now` counts as received. UsageError for a lead or a step that nobody knows.
    """
    lead_id = find_lead(session, who)
    asking = step_called(playbook, word) if word else next_asking(session, playbook, lead_id, now)
    subject = subject_at(session, playbook, lead_id, now)
    zone = ZoneInfo(playbook.office.zone)
    view = View(now=now, vocabulary=playbook.vocabulary, segments=playbook.segment_conditions, zone=zone)
    scored = score_person(session, playbook, subject, view)
    fields = scored.person.fields
    main = fields.get("segment_main")
    reader = reader_of(
        session,
        lead_id=lead_id,
        person=scored.person,
        stage=str(fields["stage"]),
        band=scored.band,
        main=str(main) if main else None,
        view=view,
    )
    named = asking.step.email if asking else None
    best_for = None if named else (asking.step.best_for if asking else reader.stage)
    asked, seed = _asked(playbook, named, best_for), subject.row["seed"]
    found = (_candidate(playbook, reader, email, seed, named=bool(named)) for email in asked)
    return Choosing(
        lead_id=lead_id,
        who=short(subject, scored),
        asking=asking,
        later=next_choosing(asking) if asking and named else None,
        best_for=best_for,
        reader=reader,
        candidates=tuple(sorted(found, key=lambda one: (not one.fits, one.kept.order))),
        blocked=next(iter(mailable(session, playbook, [lead_id], now)), None),
        view=view,
    )


def _asked(playbook: Playbook, named: str | None, best_for: str | None) -> Iterator[Email]:
    if named is not None:
        yield playbook.emails[named]
    elif best_for is not None:
        yield from (email for email in playbook.emails.values() if asked_for(email, best_for))


def _candidate(playbook: Playbook, reader: Reader, email: Email, seed: int, *, named: bool) -> Candidate:
    had, when = had_of(reader, email), playbook.email_when(email.name)
    # Who named an email has chosen already: its `for` is not asked.
    marks = (mark for mark in marks_of(playbook, reader, email) if not named or mark.key not in _FOR)
    return Candidate(
        email=email,
        for_main=reader.main in email.audience.segments,
        marks=tuple(marks),
        language=reader.reads.get(email.name),
        variant=variant_for(email, seed),
        had=had,
        again_from=had + timedelta(microseconds=email.again_after) if had else None,
        lacks=tuple(lacks_of(reader, email)),
        when="" if when is None or named else because(prove(when, reader.person, reader.view)),
    )


_FOR = frozenset({"stage", "segments", "fit", "engagement", "when"})


def _told_apart(first: Candidate, second: Candidate, reader: Reader) -> str:
    """The first thing in the order of choosing in which they differ."""
    other = second.email.name
    if first.email.rank != second.email.rank:
        return _("rank {rank}, before {other} with {less}").format(
            rank=first.email.rank, other=other, less=second.email.rank
        )
    if first.for_main != second.for_main:
        return _("of the same rank as {other}, and written for their main segment, {segment}").format(
            other=other, segment=reader.main
        )
    keys, fewer = (-(-one.email.audience.specificity // 1000) for one in (first, second))
    if keys != fewer:
        told = ngettext(
            "of the same rank as {other}, and its for is narrower: {n} key, not {fewer}",
            "of the same rank as {other}, and its for is narrower: {n} keys, not {fewer}",
            keys,
        )
        return told.format(other=other, n=keys, fewer=fewer)
    if first.email.audience.specificity != second.email.audience.specificity:
        return _("of the same rank as {other}, and its for lists fewer values").format(other=other)
    return _("nothing tells it from {other} but the name: give one of them a higher rank").format(other=other)

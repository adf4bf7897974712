"""Which emails a step could choose from, in their order, and why the others were not for this person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.case import Case
from leadflow.ask.dates import date_of
from leadflow.conditions.evaluate import Person, View, holds
from leadflow.email.catalog import Email
from leadflow.models import message, tpl_lang
from leadflow.playbook.model import Playbook
from leadflow.steps.email import EmailStep
from leadflow.text import _
from leadflow.types import COUNTS_AS_RECEIVED, Purpose, micros

#: As many of those left aside are named.
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom, and as of when, a choice is made: what the choice looked at."""

    lead_id: int
    person: Person
    stage: str
    band: str
    segments: frozenset[str]
    main: str | None
    #: Email → when it last left, or was planned.
    had: Mapping[str, datetime]
    #: Email → the language they would read it in.
    reads: Mapping[str, str]
    view: View


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An email that could be chosen."""

    email: Email
    for_main: bool

    @property
    def order(self) -> tuple[int, bool, int, str]:
        """By rank, then one for the main segment, then the narrowest `for`, then the name."""
        return -self.email.rank, not self.for_main, -self.email.audience.specificity, self.email.name


def reader_of(
    session: Session,
    *,
    lead_id: int,
    person: Person,
    stage: str,
    band: str,
    main: str | None,
    view: View,
) -> Reader:
    """What a choice at `view.now` looks at."""
    return Reader(
        lead_id=lead_id,
        person=person,
        stage=stage,
        band=band,
        segments=person.segments,
        main=main,
        had=_had(session, lead_id, view.now),
        reads=_reads(session, str(person.fields.get("language") or "")),
        view=view,
    )


def candidates(playbook: Playbook, reader: Reader, best_for: str) -> list[Kept]:
    """The emails that fit, the best first."""
    emails = (email for email in playbook.emails.values() if _refusal(playbook, reader, email, best_for) is None)
    kept = [Kept(email=email, for_main=reader.main in email.audience.segments) for email in emails]
    return sorted(kept, key=lambda one: one.order)


def _refusal(playbook: Playbook, reader: Reader, email: Email, best_for: str) -> str | None:
    """Why an email is not for them; None where it is, '' for one that nobody would expect here."""
    if not asked_for(email, best_for):
        return ""
    return next((mark.refusal for mark in marks_of(playbook, reader, email) if not mark.holds), None)


def asked_for(email: Email, best_for: str) -> bool:
    """Whether a step that wants the best email for a stage looks at this one."""
    if email.pick != "best" or email.purpose is Purpose.SERVICE:
        return False
    return not email.audience.stage or best_for in email.audience.stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One thing an email asks of whoever is to get it."""

    #: received, needs, or a key of `for`.
    key: str
    #: Its `for`, or what it needs, says so; an absent key is anybody.
    asked: bool
    holds: bool
    #: What is said where it does not hold.
    refusal: str


def marks_of(playbook: Playbook, reader: Reader, email: Email) -> Iterator[Mark]:
    """Everything that is asked before an email is somebody's, in the order in which it is told."""
    wanted, had = email.audience, had_of(reader, email)
    again = had is not None and micros(had) > micros(reader.view.now) - email.again_after
    yield Mark(
        key="received",
        asked=True,
        holds=not again,
        refusal=_("received {date}").format(date=date_of(had, reader.view)) if had else "",
    )
    lists = (
        ("stage", wanted.stage, {reader.stage}, _("for stage {who}")),
        ("segments", wanted.segments, reader.segments, _("for {who}")),
        ("fit", wanted.fit, {reader.band[:1]}, _("for fit {bands}")),
        ("engagement", wanted.engagement, {reader.band[1:]}, _("for engagement {bands}")),
    )
    for key, values, theirs, words in lists:
        said, holds_here = ", ".join(values), not values or not theirs.isdisjoint(values)
        yield Mark(key=key, asked=bool(values), holds=holds_here, refusal=words.format(who=said, bands=said))
    language, when = reader.reads.get(email.name), playbook.email_when(email.name)
    only = _("in {languages} only").format(languages=", ".join(email.bodies))
    yield Mark(key="languages", asked=True, holds=language is not None, refusal=only)
    met = when is None or holds(when, reader.person, reader.view)
    yield Mark(key="when", asked=when is not None, holds=met, refusal=_("its condition does not hold"))
    lacks = lacks_of(reader, email)
    needs = _("needs {fields}").format(fields=", ".join(lacks))
    yield Mark(key="needs", asked=bool(email.needs.get(language or "")), holds=not lacks, refusal=needs)


def had_of(reader: Reader, email: Email) -> datetime | None:
    """When they last had an email, under its name or the one it had before."""
    return reader.had.get(email.name) or reader.had.get(email.was or "")


def lacks_of(reader: Reader, email: Email) -> list[str]:
    """The dotted names the body they would read cannot do without and the person does not have."""
    return _lacks(email, reader.reads.get(email.name), reader.person)


def _lacks(email: Email, language: str | None, person: Person) -> list[str]:
    """The dotted names the body cannot do without and the person does not have."""
    needs = sorted(email.needs.get(language or "", ()))
    return [name for name in needs if name == "company.name" or name.startswith("lead.") if not _known(name, person)]


def _known(name: str, person: Person) -> bool:
    field = "company" if name == "company.name" else name.removeprefix("lead.")
    return person.fields.get(field) not in (None, "")


def shelf_words(case: Case, step: EmailStep) -> str:
    """The emails of a step, each with why it is not for this person."""
    reader = _now(case)
    if step.email is not None:
        email = case.playbook.emails.get(step.email)
        language = case.subject.person.fields.get("language") or "–"
        return _("{email} is written in {languages}, and they read {language}").format(
            email=step.email, languages=", ".join(email.bodies) if email else "–", language=language
        )
    refused = [(name, why) for name, why in _refusals(case.playbook, reader, step.best_for or "") if why]
    said = ", ".join(f"{name} ({why})" for name, why in refused[:_SHOWN])
    more = ", …" if len(refused) > _SHOWN else ""
    stage = step.best_for
    return _("of {n} emails for {stage} none is left: {emails}").format(n=len(refused), stage=stage, emails=said + more)


def _refusals(playbook: Playbook, reader: Reader, best_for: str) -> Iterator[tuple[str, str]]:
    for name, email in playbook.emails.items():
        yield name, _refusal(playbook, reader, email, best_for) or ""


def missing_fields(case: Case, email: str) -> list[str]:
    """What a named email needs of this person and does not find."""
    known = case.playbook.emails.get(email)
    reader = _now(case)
    return lacks_of(reader, known) if known else []


def _now(case: Case) -> Reader:
    fields = case.scored.person.fields
    main = fields.get("segment_main")
    return reader_of(
        case.session,
        lead_id=case.subject.lead_id,
        person=case.scored.person,
        stage=str(fields["stage"]),
        band=case.scored.band,
        main=str(main) if main else None,
        view=case.view,
    )


def _had(session: Session, lead_id: int, at: datetime) -> Mapping[str, datetime]:
    mine = (message.c.lead_id == lead_id, message.c.planned_at < micros(at))
    query = select(message.c.email, message.c.sent_at, message.c.planned_at).where(
        *mine, message.c.state.in_(COUNTS_AS_RECEIVED)
    )
    last: dict[str, datetime] = {}
    for row in session.execute(query):
        left = row.sent_at or row.planned_at
        last[row.email] = max(left, last.get(row.email, left))
    return last


def _reads(session: Session, language: str) -> Mapping[str, str]:
    """Email → the body they get."""
    rows = session.execute(select(tpl_lang.c.template, tpl_lang.c.lang).where(tpl_lang.c.for_lang == language))
    return {row.template: row.lang for row in rows}

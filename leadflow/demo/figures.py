"""The numbers of the ending screen, each counted from the rows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, distinct, func, or_, select
from sqlalchemy.orm import Session

from leadflow.ask.person import acts_before
from leadflow.ask.section import weekday
from leadflow.conditions.evaluate import Person, View, acts_counted, field_holds, plain
from leadflow.conditions.prove import acts_words, span_text, visited
from leadflow.conditions.tree import EventLeaf, FieldLeaf, leaves
from leadflow.models import account, escalation, lead, lead_state, message
from leadflow.playbook.model import Playbook
from leadflow.text import _, current_language
from leadflow.types import EscalationState, MessageState, micros


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One person's mail, for showing that it changes with the person; what the choice saw of them."""

    segment: str
    band: str
    stage: str
    language: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Mails that one step of one sequence chose on one night."""

    planned_at: datetime
    sequence: str
    step: str
    people: tuple[Example, ...]


def examples(session: Session, playbook: Playbook, count: int = 4) -> Examples | None:
    """Up to `count` people whose mails differ, of the step and night that tell most; None where nothing differs."""
    best = [name for name, email in playbook.emails.items() if email.pick == "best"]
    columns = [message.c[name] for name in ("planned_at", "sequence", "step", "email", "language", "chosen")]
    query = select(*columns).where(message.c.email.in_(best), message.c.state.in_(["planned", "accepted"]))
    found: dict[tuple[datetime, str, str], list[Example]] = defaultdict(list)
    for row in session.execute(query.order_by(message.c.planned_at.desc(), message.c.email, message.c.id)):
        found[row.planned_at, row.sequence, row.step].append(_example(row))
    picked = {place: tuple(_most_different(people, playbook, count)) for place, people in found.items()}
    telling = {place: people for place, people in picked.items() if len(people) > 1}
    if not telling:
        return None
    place = max(telling, key=lambda place: (_variety(telling[place], playbook), place))
    planned_at, sequence, step = place
    return Examples(planned_at=planned_at, sequence=sequence, step=step, people=telling[place])


def _example(row: Any) -> Example:
    seen = {name: row.chosen.get(name) or "" for name in ("segment", "band", "stage")}
    return Example(email=row.email, language=row.language, **seen)


def _most_different(found: Sequence[Example], playbook: Playbook, count: int) -> Iterator[Example]:
    """One person a mail: those it is written for first, then those who share least with the ones before."""
    left = sorted(found, key=lambda one: (not _meant(one, playbook), one.band))
    shown: list[Example] = []
    while left and len(shown) < count:
        one = min(left, key=lambda one: (not _meant(one, playbook), _shared(one, shown)))
        left = [other for other in left if (other.email, other.language) != (one.email, one.language)]
        shown.append(one)
        yield one


def _meant(one: Example, playbook: Playbook) -> bool:
    """Whether the mail is written for the person's segment."""
    return one.segment in playbook.emails[one.email].audience.segments


def _shared(one: Example, shown: Sequence[Example]) -> int:
    """How much somebody has in common with those shown already."""
    marks = ("email", "segment", "language", "stage", "band")
    return sum(getattr(one, mark) == getattr(other, mark) for other in shown for mark in marks)


def _variety(people: Sequence[Example], playbook: Playbook) -> int:
    """How many segments see a mail of their own, and in how many languages."""
    meant = [one for one in people if _meant(one, playbook)]
    return len({one.segment for one in meant}) + len({one.language for one in meant})


def by_stage(session: Session, now: datetime) -> Mapping[str, int]:
    """Stage → people with a mail planned at `now`."""
    planned = message.c.planned_at == micros(now), message.c.state != MessageState.FAILED
    people = func.count(distinct(message.c.lead_id))
    return dict(
        _pairs(
            session,
            select(lead_state.c.stage, people)
            .join(message, message.c.lead_id == lead_state.c.lead_id)
            .where(*planned)
            .group_by(lead_state.c.stage),
        )
    )


def handed_over(session: Session, since: datetime) -> Sequence[Any]:
    """Hand-overs opened since an instant, with names for the terminal of the person who asks."""
    return session.execute(
        select(escalation, lead.c.first_name, lead.c.last_name, lead.c.attributes, account.c.name.label("company"))
        .join(lead, lead.c.id == escalation.c.lead_id)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .where(escalation.c.opened_at >= micros(since))
        .order_by(escalation.c.opened_at.desc(), escalation.c.lead_id)
    ).all()


def why_now(session: Session, playbook: Playbook, row: Any) -> str:
    """The acts and answers a hand-over's rule rests on, in few words; the rule's own name where it rests on none."""
    rule = next((rule for rule in playbook.sales.hot if rule.name == row.rule), None)
    if rule is None:
        return str(row.rule)
    person = Person(fields=row.attributes, events=acts_before(session, row.lead_id, row.opened_at))
    view = View(now=row.opened_at, vocabulary=playbook.vocabulary, zone=ZoneInfo(playbook.office.zone))
    words = [_words(leaf, person, view) for leaf in leaves(rule.when)]
    return ", ".join(filter(None, words)) or rule.name


def _words(leaf: object, person: Person, view: View) -> str:
    """`2 visits to /tarifs in 7 days`, `asked for a quote on Sun 18:12`; empty for what the person did not do."""
    match leaf:
        case EventLeaf():
            acts = acts_counted(leaf, person, view)
            if not acts:
                return ""
            if visited(leaf):
                span = "" if leaf.within is None else " " + _("in {span}").format(span=span_text(leaf.within))
                return acts_words(leaf, len(acts), view.vocabulary) + span
            last = max(acts, key=lambda act: act.occurred_at)
            local = last.occurred_at.astimezone(view.zone)
            done = view.vocabulary.events[last.kind].label.get(current_language()) or last.kind.replace("_", " ")
            return _("{what} on {when}").format(what=done, when=f"{weekday(local)} {local:%H:%M}")
        case FieldLeaf(field=name) if person.fields.get(name) is not None and field_holds(leaf, person, view):
            label = view.vocabulary.fields[name].label.get(current_language()) or name
            return _("{field}: {value}").format(field=label.lower(), value=plain(person.fields[name]))
    return ""


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

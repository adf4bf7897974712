"""The night in numbers: the artifact `nightly-summary`, aggregates only, no address and no name."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from leadflow.ask.plan import planned_mails
from leadflow.ask.section import weekday
from leadflow.ask.words import reason_words
from leadflow.eligibility import Tonight
from leadflow.models import enrolment, escalation, message
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import EnrolmentState, EscalationState, MessageState, Outcome, micros


def nightly_summary(
    session: Session, playbook: Playbook, now: datetime, outcomes: Sequence[Outcome], broken: Sequence[str] = ()
) -> str:
    """Markdown: one line that adds up, then phases, reasons, emails, sequences and salespeople."""
    found = planned_mails(session, playbook, now)
    local = now.astimezone(ZoneInfo(playbook.office.zone))
    heading = _("Night of {night} · playbook {version}").format(
        night=f"{weekday(local)} {local:%Y-%m-%d}", version=playbook.short
    )
    blocks = [
        f"**{'❌' if broken else '✅'} {heading}**",
        _headline(found.tonight, sum(found.handovers.values()), len(broken)),
        *(f"- ❌ {line}" for line in broken),
        _phases(outcomes),
        _reasons(found.tonight),
        _emails(session, now),
        _sequences(session),
        _sales(session, now),
    ]
    return "\n\n".join(block for block in blocks if block)


def _headline(night: Tonight, to_sales: int, broken: int) -> str:
    without = sum(night.skipped.values())
    return _(
        "{people} people · {mailed} mails planned · {without} without, all with a reason · {sales} to sales · "
        "{broken} invariants broken   {mailed} + {without} = {people}"
    ).format(people=night.people, mailed=night.mailed, without=without, sales=to_sales, broken=broken)


def _table(heads: Sequence[str], rows: Iterator[Sequence[object]] | Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    if not lines:
        return ""
    rule = "| --- |" + " ---: |" * (len(heads) - 1)
    return "\n".join(["| " + " | ".join(heads) + " |", rule, *lines])


def _phases(outcomes: Sequence[Outcome]) -> str:
    heads = [_("phase"), _("read"), _("changed"), _("counts")]
    return _table(heads, [(o.phase, o.read, o.changed, _words(o.counts)) for o in outcomes])


def _words(counts: Mapping[str, int]) -> str:
    return " · ".join(f"{name} {n}" for name, n in counts.items() if n)


def _reasons(night: Tonight) -> str:
    rows = sorted(night.skipped.items(), key=lambda item: (-item[1], item[0]))
    total = (_("total"), sum(night.skipped.values()))
    return _table([_("why no mail"), _("people")], [*((reason_words(reason), n) for reason, n in rows), total])


def _emails(session: Session, now: datetime) -> str:
    query: Select[tuple[str, str, int]] = (
        select(message.c.email, message.c.language, func.count())
        .where(message.c.planned_at == micros(now))
        .group_by(message.c.email, message.c.language)
        .order_by(message.c.email, message.c.language)
    )
    rows = [(row[0], row[1], row[2]) for row in session.execute(query)]
    return _table([_("email"), _("language"), _("planned")], rows)


def _sequences(session: Session) -> str:
    def people(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    live = enrolment.c.ended_at.is_(None)
    query = (
        select(
            enrolment.c.sequence,
            people(live & (enrolment.c.state == EnrolmentState.ACTIVE)),
            people(live & (enrolment.c.state == EnrolmentState.PAUSED)),
            people(enrolment.c.ended_at.is_not(None)),
        )
        .group_by(enrolment.c.sequence)
        .order_by(enrolment.c.sequence)
    )
    sent = {
        row[0]: row[1]
        for row in session.execute(
            select(message.c.sequence, func.count())
            .where(message.c.state.in_([MessageState.ACCEPTED, MessageState.UNKNOWN]))
            .group_by(message.c.sequence)
        )
    }
    rows = [(*row, sent.get(row[0], 0)) for row in session.execute(query)]
    return _table([_("sequence"), _("in it"), _("paused"), _("ended"), _("sent so far")], rows)


def _sales(session: Session, now: datetime) -> str:
    waiting = escalation.c.closed_at.is_(None) & (escalation.c.state == EscalationState.WAITING)
    query = (
        select(
            escalation.c.rep,
            func.sum(case((escalation.c.opened_at == micros(now), 1), else_=0)),
            func.sum(case((waiting, 1), else_=0)),
            func.sum(case((waiting & (escalation.c.due_at <= micros(now)), 1), else_=0)),
        )
        .group_by(escalation.c.rep)
        .order_by(escalation.c.rep)
    )
    return _table([_("salesperson"), _("given"), _("waiting"), _("late")], [tuple(r) for r in session.execute(query)])

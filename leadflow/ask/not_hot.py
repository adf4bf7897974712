"""Why nobody calls: what each hot rule lacks, and what holds a hand-over back although one holds."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.ask.block import rest_of
from leadflow.ask.dates import date_of, days_of
from leadflow.ask.journey import lacking
from leadflow.ask.person import Subject, unspent
from leadflow.ask.scores import Scored
from leadflow.ask.words import lifecycle_words
from leadflow.conditions.evaluate import Person, View, holds
from leadflow.conditions.prove import because, prove
from leadflow.models import escalation
from leadflow.playbook.model import HotRule, Playbook
from leadflow.text import _
from leadflow.types import Lifecycle, instant_of, micros


def not_hot_lines(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Iterator[str]:
    """Each hot rule in turn, then what would forbid a hand-over all the same."""
    lifecycle = str(scored.person.fields["lifecycle"])
    if lifecycle in (Lifecycle.CUSTOMER, Lifecycle.DISQUALIFIED):
        yield _("never handed over: {lifecycle}").format(lifecycle=lifecycle_words(lifecycle))
        return
    fresh = replace(view, fresh_within=playbook.sales.newer_than)
    person = unspent(scored.person, subject)
    for rule in playbook.sales.hot:
        yield from _rule(playbook, rule, person, fresh)
    yield from _forbidden(session, playbook, subject, view)


def _rule(playbook: Playbook, rule: HotRule, person: Person, view: View) -> Iterator[str]:
    proof = prove(rule.when, person, view)
    if holds(rule.when, person, view):
        words = _("{lifts}; {then}").format(lifts=because(proof), then=_("a hand-over waits for a new act"))
        yield _("{what}: {words}").format(what=f"✓ {rule.name}", words=words)
        return
    said = _("{what}: {words}").format(what=f"✗ {rule.name}", words=because(proof))
    needs = " ".join(lacking(playbook, person, rule.when, view))
    yield _("{lifts}; {then}").format(lifts=said, then=needs) if needs else said


def _forbidden(session: Session, playbook: Playbook, subject: Subject, view: View) -> Iterator[str]:
    rest = subject.row["rest_until"]
    if rest is not None and rest > view.now:
        yield from rest_of(session, playbook, subject, view)
        return
    mine = select(func.max(escalation.c.opened_at)).where(escalation.c.lead_id == subject.lead_id)
    last = session.scalar(mine.where(escalation.c.opened_at <= subject.at))
    again = instant_of(micros(last) + playbook.sales.same_lead) if last else None
    if last is not None and again is not None and again > view.now:
        yield _("✗ handed over on {date}: once in {span}, again from {again}").format(
            date=date_of(last, view), span=days_of(playbook.sales.same_lead), again=date_of(again, view)
        )
    account = subject.row["account_id"]
    near = select(func.max(escalation.c.opened_at)).where(
        escalation.c.account_id == account, escalation.c.lead_id != subject.lead_id
    )
    colleague = session.scalar(near.where(escalation.c.opened_at <= subject.at)) if account else None
    free = instant_of(micros(colleague) + playbook.sales.same_account) if colleague else None
    if colleague is not None and free is not None and free > view.now:
        yield _("✗ a colleague was handed over on {date}: their company again from {again}").format(
            date=date_of(colleague, view), again=date_of(free, view)
        )

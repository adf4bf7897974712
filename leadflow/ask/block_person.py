"""The reasons that lie in the person, each with its evidence and what lifts it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.case import Case
from leadflow.ask.dates import date_of, days_of, short_of, weekday_of
from leadflow.ask.person import Subject
from leadflow.ask.told import Told
from leadflow.conditions.evaluate import View, holds
from leadflow.conditions.prove import because, prove
from leadflow.models import (
    consent,
    deal,
    declined,
    escalation,
    identity,
    lead,
    lead_change,
    lifecycle_change,
    preference,
    suppression,
)
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import Audience, Basis, EscalationState, Reason, Suppressed, instant_of, micros


def _no_address(_case: Case) -> Told:
    return Told(evidence=_("nothing to write to is known"), lifts=_("lifts with an address, from a form or an import"))


def _no_mail(case: Case) -> Told:
    said = _last_change(case, "no_mail")
    when = _("said on {date}").format(date=date_of(said or case.subject.row["created_at"], case.view))
    return Told(evidence=when, lifts=_("lifts when an import says `no_mail: no` of this person"))


def _unsubscribed(case: Case) -> Told:
    return _for_good(case, Suppressed.UNSUBSCRIBED, _("only the person can take it back"))


def _complained(case: Case) -> Told:
    return _for_good(case, Suppressed.COMPLAINED, _("a mail was called spam"))


def _objected(case: Case) -> Told:
    return _for_good(case, Suppressed.OBJECTED, _("asked not to be written to"))


def _for_good(case: Case, word: Suppressed, why: str) -> Told:
    at = _suppressed_at(case, word) or _withdrawn_at(case)
    since = _("since {date}").format(date=date_of(at, case.view)) if at else ""
    return Told(
        evidence=", ".join(filter(None, (since, why))),
        lifts=_("never lifts by itself; nothing leaves any more"),
        final=True,
    )


def _bounced(case: Case) -> Told:
    at = _suppressed_at(case, Suppressed.BOUNCED)
    words = _("their server refused it for good on {date}").format(date=date_of(at, case.view) if at else "–")
    return Told(evidence=words, lifts=_("lifts with another address"))


def _invalid(case: Case) -> Told:
    at = _suppressed_at(case, Suppressed.INVALID)
    words = _("no mail can reach it, found out on {date}").format(date=date_of(at, case.view) if at else "–")
    return Told(evidence=words, lifts=_("lifts with another address"))


def _suppressed_at(case: Case, word: Suppressed) -> datetime | None:
    address = select(lead.c.address_id).where(lead.c.id == case.subject.lead_id).scalar_subquery()
    hashed = select(identity.c.hash).where(identity.c.id == address).scalar_subquery()
    found: datetime | None = case.session.scalar(
        select(suppression.c.at).where(suppression.c.address_hash == hashed, suppression.c.reason == word)
    )
    return found


def _withdrawn_at(case: Case) -> datetime | None:
    mine = (consent.c.lead_id == case.subject.lead_id, consent.c.state == "withdrawn")
    found: datetime | None = case.session.scalar(select(consent.c.at).where(*mine).order_by(consent.c.at.desc()))
    return found


def _no_basis(case: Case) -> Told:
    row = case.subject.row
    basis, wants = row["basis"] or "", _("lifts with a legal basis, a source and the day the person was told")
    if basis not in {*Basis} and (asked := _unconfirmed(case)) is not None:
        return Told(
            evidence=_("agreed on {date}, and has not confirmed the address yet").format(
                date=date_of(asked, case.view)
            ),
            lifts=_("lifts with their click in the mail that asks"),
        )
    if basis not in {*Basis}:
        return Told(evidence=_("no basis is known"), lifts=wants)
    if row["audience"] == Audience.B2C and basis != Basis.CONSENT:
        return Told(evidence=_("a consumer without consent"), lifts=_("lifts with consent"))
    missing = [
        words
        for words, value in ((_("the source"), row["source"]), (_("the day the person was told"), row["informed_on"]))
        if not value
    ]
    if not missing:
        day = datetime.fromisoformat(row["informed_on"]).replace(tzinfo=case.view.zone)
        said = _("legitimate interest, but the person is told only on {date}").format(date=date_of(day, case.view))
        return Told(evidence=said, lifts=_("lifts on that day"), lifts_at=day)
    words = _(" and ").join(missing)
    return Told(
        evidence=_("legitimate interest without {what}").format(what=words),
        lifts=_("lifts with {what}").format(what=words),
    )


def _unconfirmed(case: Case) -> datetime | None:
    """When they ticked a box that nobody has confirmed."""
    mine = (consent.c.lead_id == case.subject.lead_id, consent.c.state == "asked")
    found: datetime | None = case.session.scalar(select(consent.c.at).where(*mine).order_by(consent.c.at.desc()))
    return found


def _preference(case: Case) -> Told:
    address = case.subject.row["address_id"]
    until = case.session.scalar(select(preference.c.paused_until).where(preference.c.identity_id == address))
    if until is not None and until > case.view.now:
        return Told(
            evidence=_("asked for a pause until {date}").format(date=date_of(until, case.view)),
            lifts=_("lifts {date}").format(date=weekday_of(until, case.view)),
            lifts_at=until,
        )
    topics = case.session.scalars(select(declined.c.topic).where(declined.c.identity_id == address))
    return Told(
        evidence=_("does not want to hear of {topics}").format(topics=", ".join(sorted(topics)) or "–"),
        lifts=_("lifts when they choose otherwise"),
    )


def _open_deal(case: Case) -> Told:
    mine = (deal.c.lead_id == case.subject.lead_id, deal.c.state == "open")
    row = case.session.execute(select(deal).where(*mine).order_by(deal.c.updated_at)).mappings().first()
    said = _("the CRM says so since {date}").format(date=date_of(row["updated_at"], case.view)) if row else ""
    return Told(evidence=said, lifts=_("lifts when the CRM says won or lost"))


def _never(case: Case) -> Told:
    rule = next((rule for rule in case.playbook.never if holds(rule.when, case.scored.person, case.view)), None)
    if rule is None:
        return Told(evidence="", lifts=_("lifts when the line no longer holds"))
    proof = prove(rule.when, case.scored.person, case.view)
    return Told(
        evidence=_('line "{name}" of {file}, {proof}').format(
            name=rule.name, file=rule.place.file or "config/leadflow.yaml", proof=because(proof)
        ),
        lifts=_("lifts when the line no longer holds"),
    )


def _disqualified(case: Case) -> Told:
    return Told(
        evidence=_moved(case),
        lifts=_("never lifts by itself: only a purchase does; nothing leaves any more"),
        final=True,
    )


def _customer(case: Case) -> Told:
    return Told(evidence=_moved(case), lifts=_("never lifts: nurturing is over; nothing leaves any more"), final=True)


def _moved(case: Case) -> str:
    """Since when, and on whose word."""
    moves = lifecycle_change.c
    mine = (moves.lead_id == case.subject.lead_id, moves.after == case.reason.value)
    row = case.session.execute(
        select(moves.cause, moves.effective_at).where(*mine).order_by(moves.recorded_at.desc())
    ).first()
    if row is None:
        return ""
    cause = {"sales": _("said by sales"), "crm": _("said by the CRM"), "import": _("said by an import")}.get(row.cause)
    reason = case.session.scalar(
        select(escalation.c.answer_reason)
        .where(escalation.c.lead_id == case.subject.lead_id, escalation.c.answer_reason.is_not(None))
        .order_by(escalation.c.number.desc())
    )
    since = _("since {date}").format(date=date_of(row.effective_at, case.view))
    own = f" ({reason})" if reason and row.cause == "sales" else ""
    return ", ".join(filter(None, (since, cause))) + own


def _with_sales(case: Case) -> Told:
    mine = (escalation.c.lead_id == case.subject.lead_id, escalation.c.closed_at.is_(None))
    row = case.session.execute(select(escalation).where(*mine)).mappings().first()
    if row is None:
        return Told(evidence="", lifts=_("lifts when sales gives the lead back"))
    evidence = _("since {date}, {rep}, {rule}").format(
        date=date_of(row["opened_at"], case.view), rep=row["rep"], rule=row["rule"]
    )
    if row["state"] != EscalationState.WAITING:
        return Told(evidence=evidence, lifts=_("lifts when {rep} gives the lead back").format(rep=row["rep"]))
    until = instant_of(micros(row["opened_at"]) + case.playbook.sales.no_answer.after)
    return Told(
        evidence=evidence,
        lifts=_("lifts when {rep} rejects, or on {date} unanswered").format(
            rep=row["rep"], date=weekday_of(until, case.view)
        ),
        lifts_at=until,
    )


def _resting(case: Case) -> Told:
    return rest(case.session, case.playbook, case.subject, case.view)


def rest(session: Session, playbook: Playbook, subject: Subject, view: View) -> Told:
    """No hand-over before the rest is over; mails go on meanwhile."""
    until, span = subject.row["rest_until"], days_of(playbook.journey.lifecycle.rest)
    since = _given_back(session, subject, view)
    evidence = ", ".join(filter(None, (since, _("rests {span}").format(span=span))))
    if until is None:
        return Told(evidence=evidence, lifts=_("lifts when the rest is over"))
    return Told(
        evidence=evidence,
        lifts=_("lifts {date}, and a raised hand does not wait").format(date=weekday_of(until, view)),
        lifts_at=until,
    )


def _given_back(session: Session, subject: Subject, view: View) -> str:
    query = (
        select(escalation.c.rep, escalation.c.closed_at, escalation.c.answer_reason)
        .where(escalation.c.lead_id == subject.lead_id, escalation.c.closed_at.is_not(None))
        .order_by(escalation.c.number.desc())
    )
    row = session.execute(query).first()
    if row is None:
        return ""
    said = f" ({row.answer_reason})" if row.answer_reason else ""
    return _("given back by {rep} on {date}").format(rep=row.rep, date=short_of(row.closed_at, view)) + said


def _last_change(case: Case, field: str) -> datetime | None:
    mine = (lead_change.c.lead_id == case.subject.lead_id, lead_change.c.field == field)
    found: datetime | None = case.session.scalar(
        select(lead_change.c.at).where(*mine).order_by(lead_change.c.at.desc()).limit(1)
    )
    return found


TELLS: Mapping[Reason, Callable[[Case], Told]] = {
    Reason.NO_ADDRESS: _no_address,
    Reason.NO_MAIL_FLAG: _no_mail,
    Reason.UNSUBSCRIBED: _unsubscribed,
    Reason.COMPLAINED: _complained,
    Reason.OBJECTED: _objected,
    Reason.BOUNCED: _bounced,
    Reason.INVALID_ADDRESS: _invalid,
    Reason.NO_BASIS: _no_basis,
    Reason.PREFERENCE: _preference,
    Reason.OPEN_DEAL: _open_deal,
    Reason.NEVER_LIST: _never,
    Reason.DISQUALIFIED: _disqualified,
    Reason.CUSTOMER: _customer,
    Reason.WITH_SALES: _with_sales,
    Reason.RESTING: _resting,
}

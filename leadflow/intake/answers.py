"""What salespeople say to a hand-over, and what it does: `accept`, `later`, `reject`, `won`, `lost`."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Row, Select, func, insert, literal, select, update
from sqlalchemy.orm import Session

from leadflow.errors import UsageError
from leadflow.intake.deal_words import HANDOVER
from leadflow.intake.events import NewEvent, record_events
from leadflow.intake.lifecycle import Cause, move_one
from leadflow.intake.owners import own_accounts
from leadflow.intake.recycle import lead_again
from leadflow.models import account, assignment, escalation, lead, lead_state
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import Answer, EscalationState, Lifecycle, micros

_STATE = {
    Answer.ACCEPT: EscalationState.ACCEPTED,
    Answer.LATER: EscalationState.LATER,
    Answer.REJECT: EscalationState.REJECTED,
    Answer.WON: EscalationState.WON,
    Answer.LOST: EscalationState.LOST,
}
#: How a hand-over came to somebody whom no route chose.
TAKEN_OVER = "taken_over"
_CLOSES = (Answer.REJECT, Answer.WON, Answer.LOST)
_WITH_REASON = (Answer.REJECT, Answer.LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """An open hand-over, as a list of them shows it."""

    id: int
    lead_id: int
    first_name: str | None
    last_name: str | None
    company: str | None
    band: str
    rule: str
    rep: str
    state: EscalationState
    opened_at: datetime
    due_at: datetime
    #: Nobody answered in time.
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an answer did: the hand-over's state, and where its lead stands now."""

    escalation_id: int
    lead_id: int
    state: EscalationState
    lifecycle: Lifecycle


def answer(
    session: Session,
    playbook: Playbook,
    now: datetime,
    escalation_id: int,
    said: Answer,
    *,
    reason: str | None = None,
    amount: int | None = None,
    again_on: date | None = None,
    who: str | None = None,
) -> Answered:
    """Record one answer and what follows from it; UsageError, with the words allowed, for one that cannot be.

    `amount` is in cents. `who` takes the hand-over over when it is another salesperson's.
    """
    found = _open(session, escalation_id)
    _check(playbook, now, found, said, reason=reason, amount=amount, again_on=again_on, who=who)
    again_at = None if again_on is None else _morning(playbook, again_on)
    session.execute(
        update(escalation)
        .where(escalation.c.id == escalation_id)
        .values(
            state=_STATE[said],
            # The first answer stops the clock; what follows later is the deal's own time.
            answered_at=found.answered_at or now,
            # Whoever answers before the alert left knows.
            alerted_at=found.alerted_at or now,
            answer_reason=reason,
            amount=amount,
            again_at=again_at,
            closed_at=micros(now) if said in _CLOSES else None,
            rep=who or found.rep,
        )
    )
    if who not in (None, found.rep):
        taken = {"rep": who, "route": TAKEN_OVER, "taken_from": found.rep}
        session.execute(insert(assignment), {"escalation_id": escalation_id, "at": now, **taken})
    if said in (Answer.ACCEPT, Answer.WON):
        own_accounts(session, {found.lead_id: who or found.rep}, if_free=True)
    _follow(session, playbook, now, found, said, reason)
    where = session.scalars(select(lead_state.c.lifecycle).where(lead_state.c.lead_id == found.lead_id)).one()
    return Answered(escalation_id=escalation_id, lead_id=found.lead_id, state=_STATE[said], lifecycle=Lifecycle(where))


def list_handovers(session: Session, now: datetime, *, rep: str | None = None) -> list[Handover]:
    """The open hand-overs, the most urgent first."""
    columns = (escalation.c[name] for name in ("id", "lead_id", "band", "rule", "rep", "state", "opened_at", "due_at"))
    rows = (
        select(*columns, lead.c.first_name, lead.c.last_name, account.c.name.label("company"))
        .join(lead, lead.c.id == escalation.c.lead_id)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .where(escalation.c.closed_at.is_(None), *([escalation.c.rep == rep] if rep else []))
        .order_by(escalation.c.due_at, escalation.c.id)
    )
    return [_handover(row, now) for row in session.execute(rows)]


def _handover(row: Row[Any], now: datetime) -> Handover:
    values = dict(row._mapping)
    state = EscalationState(values.pop("state"))
    late = state is EscalationState.WAITING and row.due_at <= now
    return Handover(state=state, late=late, **values)


def _open(session: Session, escalation_id: int) -> Row[Any]:
    # Locked, so that two answers given at once are taken one after the other.
    found = session.execute(select(escalation).where(escalation.c.id == escalation_id).with_for_update()).one_or_none()
    if found is None:
        raise UsageError(_("there is no hand-over {id}").format(id=escalation_id))
    if found.closed_at is not None:
        words = _("hand-over {id} is closed: {state}")
        raise UsageError(words.format(id=escalation_id, state=found.state))
    return found


def _check(
    playbook: Playbook,
    now: datetime,
    found: Row[Any],
    said: Answer,
    *,
    reason: str | None,
    amount: int | None,
    again_on: date | None,
    who: str | None,
) -> None:
    _check_reason(playbook, said, reason)
    _check_asked(playbook, now, said, amount=amount, again_on=again_on)
    team = [rep.name for rep in (*playbook.sales.team, playbook.sales.manager)]
    if who is not None and who not in team:
        raise UsageError(_("{who} does not sell here. One of: {names}").format(who=who, names=", ".join(team)))
    if said is Answer.ACCEPT and found.state == EscalationState.ACCEPTED and who in (None, found.rep):
        raise UsageError(_("hand-over {id} is accepted already").format(id=found.id))


def _check_reason(playbook: Playbook, said: Answer, reason: str | None) -> None:
    reasons = list(playbook.sales.answers.get(said, {}).get("reasons", ()))
    if said not in _WITH_REASON:
        if reason is not None:
            raise UsageError(_("{answer} takes no reason").format(answer=said))
    elif reasons and reason not in reasons:
        words = _("{answer} needs a reason, one of: {reasons}")
        raise UsageError(words.format(answer=said, reasons=", ".join(reasons)))


def _check_asked(playbook: Playbook, now: datetime, said: Answer, *, amount: int | None, again_on: date | None) -> None:
    asked = playbook.sales.answers.get(said, {}).get("ask")
    if said is not Answer.WON and amount is not None:
        raise UsageError(_("only won takes an amount"))
    if said is Answer.WON and ((amount is None and asked == "amount") or (amount or 0) < 0):
        raise UsageError(_("won needs the amount of the deal"))
    if said is not Answer.LATER and again_on is not None:
        raise UsageError(_("only later takes a day to come back"))
    if said is Answer.LATER and (again_on is None or _morning(playbook, again_on) <= now):
        raise UsageError(_("later needs a day to come back, after today"))


def _morning(playbook: Playbook, day: date) -> datetime:
    opens = (datetime.combine(day, time()) + timedelta(minutes=playbook.window.start)).time()
    return datetime.combine(day, opens, ZoneInfo(playbook.office.zone))


def _follow(
    session: Session, playbook: Playbook, now: datetime, found: Row[Any], said: Answer, reason: str | None
) -> None:
    rules = playbook.journey.lifecycle
    match said:
        case Answer.ACCEPT if rules.prospect_when_sales_accepts:
            _move(session, playbook, now, found.lead_id, Lifecycle.PROSPECT)
        case Answer.REJECT:
            if reason in rules.disqualify_reasons or _rejected_too_often(session, playbook, found.lead_id):
                _move(session, playbook, now, found.lead_id, Lifecycle.DISQUALIFIED)
            # From disqualified nobody comes back; the acts are spent all the same.
            lead_again(session, playbook, now, people=_just(found.lead_id, now), cause=Cause.SALES)
        case Answer.WON:
            _move(session, playbook, now, found.lead_id, Lifecycle.CUSTOMER)
            session.execute(update(lead_state).where(lead_state.c.lead_id == found.lead_id).values(with_sales=False))
            _tell(session, now, found, "deal_won")
        case Answer.LOST:
            lead_again(session, playbook, now, people=_just(found.lead_id, now), cause=Cause.SALES)
            _tell(session, now, found, "deal_lost")
        case _:
            pass


def _just(lead_id: int, now: datetime) -> Select[Any]:
    return select(literal(lead_id, BigInteger).label("lead_id"), literal(micros(now), BigInteger).label("effective_at"))


def _move(session: Session, playbook: Playbook, now: datetime, lead_id: int, to: Lifecycle) -> None:
    move_one(session, now, lead_id=lead_id, to=to, cause=Cause.SALES, playbook=playbook.version)


def _rejected_too_often(session: Session, playbook: Playbook, lead_id: int) -> bool:
    most = playbook.journey.lifecycle.disqualify_after_rejections
    if most is None:
        return False
    rejected = select(func.count()).where(
        escalation.c.lead_id == lead_id, escalation.c.state == EscalationState.REJECTED
    )
    return (session.scalar(rejected) or 0) >= most


def _tell(session: Session, now: datetime, found: Row[Any], kind: str) -> None:
    new = NewEvent(source=HANDOVER, external_id=f"{found.id}:{kind}", kind=kind, occurred_at=now, lead_id=found.lead_id)
    record_events(session, [new], received_at=now)

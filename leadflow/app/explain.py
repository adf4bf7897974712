"""`why` with what would leave once the first block has lifted: tried in a transaction that is rolled back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from leadflow.app.jobs import night_of
from leadflow.app.phases import phase_of
from leadflow.app.workspace import App
from leadflow.ask.next_mail import Would, would_get
from leadflow.ask.why import Answer
from leadflow.ask.why import why as ask
from leadflow.conditions.tree import All
from leadflow.esp.memory import MemoryProvider
from leadflow.models import declined, enrolment, escalation, identity, lead, lead_state, message, pause, preference
from leadflow.pipeline.clocks import run_clocks
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE, IN_FLIGHT, Basis, Leads, MessageState, Phase, Reason, Scope, micros

#: Takes what stands in the way, and gives the rules to sweep with.
Cure = Callable[[Session, Playbook, int, datetime], Playbook]


def why(
    app: App, who: str, at: datetime | None, *, now: datetime, brief: bool = False, tried: Would | None = None
) -> Answer:
    """Everything there is to say about `who`, and what would leave next. Nothing is written.

    `brief` leaves out all but what comes next; `tried` is what an answer to the same question has found already.
    """
    with Session(app.engine) as session:
        found = ask(session, app.playbook, who, at, now=now, brief=brief)
    block = found.block
    if block is None or block.told.final or at is not None:
        return found
    return replace(found, would=tried or _then(app, found, now))


def _then(app: App, found: Answer, now: datetime) -> Would:
    """What the first night after the block has lifted would plan."""
    assert found.block is not None  # noqa: S101 - asked by `why`
    night = _night(app, found, found.looked or now)
    dry = replace(app, ports=replace(app.ports, email=MemoryProvider()))
    # Sequences open with the first night of everyone.
    scope: Scope = Leads((found.lead_id,)) if found.looked else EVERYONE
    with Session(app.engine) as session:
        try:
            cure = _CURES.get(found.block.reason, _nothing)
            rules = cure(session, app.playbook, found.lead_id, night)
            for phase in Phase:
                if phase is not Phase.DELIVER:
                    phase_of(dry, phase)(session, rules, night, scope)
            return would_get(session, rules, found.lead_id, night)
        finally:
            session.rollback()


def _night(app: App, found: Answer, looked: datetime) -> datetime:
    """The first night after the block has lifted; of a mail held back by caps or window, the one that plans it."""
    block = found.block
    tomorrow = night_of(app, looked + timedelta(days=1))
    if block is None or block.lifts_at is None:
        return tomorrow
    night = night_of(app, block.lifts_at)
    if not block.told.leaves_then and night < block.lifts_at:
        night = night_of(app, block.lifts_at + timedelta(days=1))
    return night if night > looked else tomorrow


def _nothing(_session: Session, playbook: Playbook, _lead_id: int, _night: datetime) -> Playbook:
    return playbook


def _address(session: Session, playbook: Playbook, lead_id: int, _night: datetime) -> Playbook:
    """Another address, at which nobody has ever been."""
    row = {"kind": "email", "value": f"somebody@{lead_id}.invalid", "hash": f"of {lead_id}", "lead_id": lead_id}
    added = session.scalar(insert(identity).values(**row).returning(identity.c.id))
    session.execute(update(lead).where(lead.c.id == lead_id).values(address_id=added))
    return playbook


def _basis(session: Session, playbook: Playbook, lead_id: int, night: datetime) -> Playbook:
    told = (night - timedelta(days=2)).date().isoformat()
    known = {"basis": Basis.CONSENT.value, "source": "–", "informed_on": told}
    session.execute(update(lead).where(lead.c.id == lead_id).values(**known))
    return playbook


def _mail_again(session: Session, playbook: Playbook, lead_id: int, _night: datetime) -> Playbook:
    session.execute(update(lead).where(lead.c.id == lead_id).values(no_mail=False))
    return playbook


def _as_before(session: Session, playbook: Playbook, lead_id: int, _night: datetime) -> Playbook:
    """They take back what they chose."""
    address = select(lead.c.address_id).where(lead.c.id == lead_id).scalar_subquery()
    session.execute(delete(preference).where(preference.c.identity_id == address))
    session.execute(delete(declined).where(declined.c.identity_id == address))
    return playbook


def _deal(session: Session, playbook: Playbook, lead_id: int, _night: datetime) -> Playbook:
    session.execute(update(lead).where(lead.c.id == lead_id).values(deal_state="lost"))
    return playbook


def _no_never(_session: Session, playbook: Playbook, _lead_id: int, _night: datetime) -> Playbook:
    return replace(playbook, never=())


def _unanswered(session: Session, playbook: Playbook, lead_id: int, night: datetime) -> Playbook:
    """Nobody answers, or sales gives the lead back."""
    mine = escalation.c.lead_id == lead_id, escalation.c.closed_at.is_(None)
    run_clocks(session, playbook, night, Leads((lead_id,)))
    session.execute(update(escalation).where(*mine).values(closed_at=micros(night)))
    session.execute(update(lead_state).where(lead_state.c.lead_id == lead_id).values(with_sales=False))
    return playbook


def _left(session: Session, playbook: Playbook, lead_id: int, _night: datetime) -> Playbook:
    """The mail before it leaves when it is planned to."""
    flying = update(message).where(message.c.lead_id == lead_id, message.c.state.in_(IN_FLIGHT))
    session.execute(flying.values(state=MessageState.ACCEPTED.value, sent_at=message.c.send_at))
    return playbook


def _known_outcome(session: Session, playbook: Playbook, lead_id: int, _night: datetime) -> Playbook:
    lost = update(message).where(message.c.lead_id == lead_id, message.c.state == MessageState.UNKNOWN)
    session.execute(lost.values(state=MessageState.ACCEPTED.value))
    return playbook


def _matched(session: Session, playbook: Playbook, lead_id: int, _night: datetime) -> Playbook:
    """The entry of the sequence they stand still in holds again; whoever paused mails by hand resumes."""
    session.execute(delete(pause))
    live = enrolment.c.lead_id == lead_id, enrolment.c.ended_at.is_(None)
    names = set(session.scalars(select(enrolment.c.sequence).where(*live)))
    again = (replace(one, enter=All(()), goal=None) if one.name in names else one for one in playbook.sequences)
    return replace(playbook, sequences=tuple(again))


_CURES: Mapping[Reason, Cure] = {
    Reason.NO_ADDRESS: _address,
    Reason.BOUNCED: _address,
    Reason.INVALID_ADDRESS: _address,
    Reason.NO_BASIS: _basis,
    Reason.NO_MAIL_FLAG: _mail_again,
    Reason.PREFERENCE: _as_before,
    Reason.OPEN_DEAL: _deal,
    Reason.NEVER_LIST: _no_never,
    Reason.WITH_SALES: _unanswered,
    Reason.OUTRANKED: _left,
    Reason.UNKNOWN_OUTCOME: _known_outcome,
    Reason.PAUSED: _matched,
}

"""Makes two people one by hand: what one did, got and agreed to is the other's from then on; the stricter no wins."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Table, and_, delete, exists, func, insert, literal, null, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.words import change_of
from leadflow.db import insert_into
from leadflow.db.turns import NOES, go_alone
from leadflow.errors import UsageError
from leadflow.intake.ledger import Proof, say, standing
from leadflow.intake.lifecycle import Cause, move_lifecycle
from leadflow.intake.people import take_turn
from leadflow.intake.suppressions import suppress
from leadflow.intake.touches import settle_sources
from leadflow.models import (
    account,
    confirmation,
    consent,
    deal,
    decision,
    declined,
    dirty,
    engagement,
    enrolment,
    escalation,
    event,
    event_inbox,
    identity,
    lead,
    lead_change,
    lead_score,
    lead_state,
    lifecycle_change,
    membership,
    message,
    preference,
    reply,
    sequence_existing,
    stage_change,
    suppression,
    verdict,
)
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import (
    OWN_NO,
    Audience,
    EnrolmentEnd,
    EnrolmentState,
    Lifecycle,
    MessageState,
    Reason,
    Suppressed,
    micros,
)

#: Who tells, in history and ledger.
SOURCE = "merge"
#: Rows that say something of the person, whoever they were taken for.
_FOLLOW: tuple[Table, ...] = (identity, event, event_inbox, message, consent, deal, reply, confirmation)
#: Chains of one record and what is worked out from it: those of the one who stays go on alone.
_OWN: tuple[Table, ...] = (
    *(lead_change, lifecycle_change, stage_change, sequence_existing, dirty, engagement, membership),
    *(lead_score, lead_state),
)
#: What is filled in where nothing is known; a basis goes with where it comes from.
_FILLED = ("first_name", "last_name", "phone", "language", "country", "zone", "account_id")
_LAWFUL = ("basis", "source", "informed_on")
_MAILED = ("address_id", "email_domain", "email_is_free")
_JSON = ("attributes", "folded", "provenance")
#: The later of two words wins.
_FURTHER = (Lifecycle.LEAD, Lifecycle.PROSPECT, Lifecycle.DISQUALIFIED, Lifecycle.CUSTOMER)
_DEALS = (None, "none", "lost", "won", "open")


def merge_people(session: Session, playbook: Playbook, keep: int, other: int, now: datetime) -> None:
    """Make lead `other` one with lead `keep`, whose number stays; UsageError where sales must answer first.

    No mail of `other` that has not begun to leave leaves any more: what it was about is planned anew, for one person.
    """
    # Before any row of theirs is locked: no intent meets them half-way.
    go_alone(session, NOES)
    take_turn(session)
    both = {row["id"]: row for row in session.execute(select(lead).where(lead.c.id.in_([keep, other]))).mappings()}
    if len(both) < 2:
        raise UsageError(_("two people are needed to make one of them"))
    _check_sales(session, keep, other)
    noes = {purpose for one in both for purpose, word in standing(session, one).items() if word == "withdrawn"}
    _cancel_mails(session, other)
    _move_enrolments(session, keep, other, now)
    _move_handovers(session, keep, other)
    _move_decisions(session, keep, other)
    stood = _stood(session, keep, other)
    for table in _FOLLOW:
        session.execute(update(table).where(table.c.lead_id == other).values(lead_id=keep))
    for table in _OWN:
        session.execute(delete(table).where(table.c.lead_id == other))
    address = _fill_in(session, both[keep], both[other], now)
    session.execute(delete(lead).where(lead.c.id == other))
    _leave_company(session, keep, both[other]["account_id"])
    _go_on_from(session, playbook, keep, stood, now)
    say(session, keep, address, dict.fromkeys(sorted(noes), False), now, Proof(method=SOURCE))
    if address is not None:
        _prefer(session, keep, address, now)
    _spread_noes(session, keep)
    settle_sources(session, [keep], now)
    session.execute(insert_into(session, dirty).values(lead_id=keep).on_conflict_do_nothing())


def _check_sales(session: Session, keep: int, other: int) -> None:
    mine = (escalation.c.lead_id.in_([keep, other]), escalation.c.closed_at.is_(None))
    if session.scalar(select(func.count()).where(*mine)) == 2:
        raise UsageError(_("sales have both of them: answer one of the two hand-overs first (leadflow handover list)"))


def _cancel_mails(session: Session, other: int) -> None:
    """UPDATE message: none leaves that has not begun to; their steps are planned again, for one person."""
    not_yet = message.c.state.in_([MessageState.PLANNED, MessageState.CLAIMED])
    values = {"state": MessageState.SUPPRESSED, "reason": Reason.EXITED, "owner": null(), "lease_until": null()}
    # What they asked for themselves goes on: it confirms the very address it goes to.
    counted = (message.c.lead_id == other, message.c.counted)
    session.execute(update(message).where(*counted, not_yet).values(values))


def _move_enrolments(session: Session, keep: int, other: int, now: datetime) -> None:
    """One way through each sequence and track goes on; entries are counted on, so that `once` stays once."""
    rows = session.execute(select(enrolment).where(enrolment.c.lead_id.in_([keep, other])).order_by(enrolment.c.id))
    found = rows.mappings().all()
    last: Counter[str] = Counter()
    for row in found:
        if row["lead_id"] == keep:
            last[row["sequence"]] = max(last[row["sequence"]], row["entry"])
    live = [row for row in found if row["ended_at"] is None and row["lead_id"] == keep]
    taken = {(kind, row[kind]) for row in live for kind in ("sequence", "track")}
    for row in found:
        if row["lead_id"] == other:
            values: dict[str, Any] = {"lead_id": keep, "entry": last[row["sequence"]] + row["entry"]}
            if row["ended_at"] is None and taken & {("sequence", row["sequence"]), ("track", row["track"])}:
                values |= {"state": EnrolmentState.ENDED, "ended_at": now, "end_reason": EnrolmentEnd.EXITED}
                session.execute(delete(verdict).where(verdict.c.enrolment_id == row["id"]))
            session.execute(update(enrolment).where(enrolment.c.id == row["id"]).values(values))


def _move_handovers(session: Session, keep: int, other: int) -> None:
    last = session.scalar(select(func.max(escalation.c.number)).where(escalation.c.lead_id == keep)) or 0
    moved = update(escalation).where(escalation.c.lead_id == other)
    session.execute(moved.values(lead_id=keep, number=escalation.c.number + last))


def _move_decisions(session: Session, keep: int, other: int) -> None:
    """Why each mail was sent or was not follows the mail; the journey is told by the one who stays."""
    same = decision.alias("same")
    columns = ("kind", "subject", "at", "month")
    told = exists().where(same.c.lead_id == keep, *(same.c[name] == decision.c[name] for name in columns))
    journey = decision.c.kind.in_(["stage", "lifecycle"])
    session.execute(update(decision).where(decision.c.lead_id == other, ~told, ~journey).values(lead_id=keep))
    session.execute(delete(decision).where(decision.c.lead_id == other))


def _stood(session: Session, keep: int, other: int) -> Sequence[RowMapping]:
    """The state rows of both, before the other's goes."""
    return session.execute(select(lead_state).where(lead_state.c.lead_id.in_([keep, other]))).mappings().all()


def _fill_in(session: Session, keep: RowMapping, other: RowMapping, now: datetime) -> int | None:
    """UPDATE lead: what the other record knows and this one does not, with its history; the address that is mailed."""
    new: dict[str, Any] = {name: other[name] for name in _FILLED if keep[name] is None and other[name] is not None}
    for together in (_LAWFUL, _MAILED):
        if keep[together[0]] is None:
            new |= {name: other[name] for name in together}
    new["no_mail"] = keep["no_mail"] or other["no_mail"]
    if Audience.B2C in (keep["audience"], other["audience"]):
        new["audience"] = Audience.B2C.value
    new["deal_state"] = max(keep["deal_state"], other["deal_state"], key=_DEALS.index)
    changed = {name: value for name, value in new.items() if keep[name] != value}
    added = {name: value for name, value in other["attributes"].items() if name not in keep["attributes"]}
    beside: dict[str, Any] = {name: {**other[name], **keep[name]} for name in _JSON}
    dates = {"first_seen_at": min(keep["first_seen_at"], other["first_seen_at"]), "updated_at": now}
    session.execute(update(lead).where(lead.c.id == keep["id"]).values(**changed, **beside, **dates))
    told = [(name, keep[name], value) for name, value in changed.items()]
    told += [(name, None, value) for name, value in added.items()]
    history = [
        {"lead_id": keep["id"], "field": name, "before": change_of(before), "after": change_of(after)}
        | {"at": now, "source": SOURCE}
        for name, before, after in told
    ]
    if history:
        session.execute(insert(lead_change), history)
    found: int | None = changed.get("address_id", keep["address_id"])
    return found


def _leave_company(session: Session, keep: int, account_id: int | None) -> None:
    """DELETE account: the other's, once nobody works for it; its hand-overs are about the company of both."""
    own = select(lead.c.account_id).where(lead.c.id == keep).scalar_subquery()
    theirs = update(escalation).where(escalation.c.lead_id == keep, escalation.c.account_id == account_id)
    session.execute(theirs.values(account_id=own))
    somebody = exists().where(lead.c.account_id == account_id)
    session.execute(delete(account).where(account.c.id == account_id, ~somebody))


def _go_on_from(session: Session, playbook: Playbook, keep: int, stood: Sequence[RowMapping], now: datetime) -> None:
    """Whoever got further says how far they both are; a rest and what a hand-over used up hold for both."""
    further = max((Lifecycle(row["lifecycle"]) for row in stood), key=_FURTHER.index, default=Lifecycle.LEAD)
    one = select(literal(keep).label("lead_id"), literal(micros(now)).label("effective_at"))
    move_lifecycle(session, now, people=one, to=further, cause=Cause.SALES, playbook=playbook.version)
    # What held for one of them last night is no crossing for both tonight.
    values: dict[str, Any] = {"with_sales": any(row["with_sales"] for row in stood), "hot": 0}
    for row in stood:
        values["hot"] |= row["hot"]
    for name in ("rest_until", "spent_before"):
        values[name] = max((row[name] for row in stood if row[name] is not None), default=None)
    session.execute(update(lead_state).where(lead_state.c.lead_id == keep).values(values))


def _spread_noes(session: Session, keep: int) -> None:
    """Their own no at one address is their no at all of them; a mailbox that bounces is that mailbox alone."""
    mine = and_(identity.c.lead_id == keep, identity.c.kind == "email")
    hashes = session.scalars(select(identity.c.hash).where(mine)).all()
    own = (*OWN_NO, Suppressed.COMPLAINED)
    said = select(suppression).where(suppression.c.address_hash.in_(hashes), suppression.c.reason.in_(own))
    first = session.execute(said.order_by(suppression.c.at, suppression.c.address_hash).limit(1)).one_or_none()
    if first is not None:
        no = {"reason": first.reason, "at": micros(first.at), "source": SOURCE}
        suppress(session, [{"address_hash": one, **no} for one in hashes])


def _prefer(session: Session, keep: int, address: int, now: datetime) -> None:
    """The fewest mails, the longest pause and every topic declined at any address hold for the one that is mailed."""
    mine = select(identity.c.id).where(identity.c.lead_id == keep, identity.c.kind == "email")
    told = session.execute(select(preference).where(preference.c.identity_id.in_(mine))).all()
    if told:
        values = {
            "gap": max((row.gap for row in told if row.gap is not None), default=None),
            "paused_until": max((row.paused_until for row in told if row.paused_until is not None), default=None),
            "updated_at": now,
        }
        add = insert_into(session, preference).values(identity_id=address, **values)
        session.execute(add.on_conflict_do_update(index_elements=["identity_id"], set_=values))
    topics = session.scalars(select(declined.c.topic).where(declined.c.identity_id.in_(mine)).distinct()).all()
    rows = [{"identity_id": address, "topic": topic, "at": now} for topic in sorted(topics)]
    if rows:
        session.execute(insert_into(session, declined).on_conflict_do_nothing(), rows)

"""Who has done nothing for years: the last act of their own, who is to be asked whether to stay, who is to go."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from leadflow.db import greatest
from leadflow.intake.recycle import RECYCLED
from leadflow.models import confirmation, consent, event, identity, intake, lead, lead_state, suppression
from leadflow.playbook.model import Retention, Wish
from leadflow.types import Lifecycle, micros

#: What others did: no sign of life. What a machine did weighs nothing; an open is none either, and is never kept.
_NOT_THEIRS = ("call_logged", "deal_won", "deal_lost", RECYCLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """People whose time is over, by lead id, the longest silent first."""

    #: To be asked once: (lead, identity of their address).
    ask: tuple[tuple[int, int], ...] = ()
    #: Asked in vain, or out of reach.
    erase: tuple[int, ...] = ()


def find_silent(session: Session, rule: Retention, now: datetime) -> Silent:
    """Whom `rule` speaks of at `now`, at most as many as it lets go a day; customers are kept by another rule."""
    last = _last_act().subquery("last")
    asked = _asked().subquery("asked")
    over = last.c.at < micros(now) - rule.after
    unanswered = and_(asked.c.at >= last.c.at, asked.c.at < micros(now) - rule.answer_within)
    waiting = and_(asked.c.at >= last.c.at, asked.c.at >= micros(now) - rule.answer_within)
    out_of_reach = or_(
        lead.c.address_id.is_(None), lead.c.no_mail, lead.c.basis.is_(None), suppression.c.at.is_not(None)
    )
    word = case((unanswered, "erase"), (waiting, "wait"), (out_of_reach, "erase"), else_="ask")
    rows = session.execute(
        select(lead.c.id, lead.c.address_id, word.label("word"))
        .select_from(
            lead.join(last, last.c.lead_id == lead.c.id)
            .outerjoin(asked, asked.c.lead_id == lead.c.id)
            .outerjoin(identity, identity.c.id == lead.c.address_id)
            .outerjoin(suppression, suppression.c.address_hash == identity.c.hash)
            .outerjoin(lead_state, lead_state.c.lead_id == lead.c.id)
        )
        .where(over, word != "wait", _is_a_prospect_of_ours())
        .order_by(last.c.at, lead.c.id)
        .limit(rule.at_most)
    ).all()
    return Silent(
        ask=tuple((row.id, row.address_id) for row in rows if row.word == "ask"),
        erase=tuple(row.id for row in rows if row.word == "erase"),
    )


def _is_a_prospect_of_ours() -> ColumnElement[bool]:
    return and_(
        func.coalesce(lead_state.c.lifecycle, "") != Lifecycle.CUSTOMER,
        ~func.coalesce(lead_state.c.with_sales, False),
        func.coalesce(lead.c.deal_state, "") != "open",
    )


def _last_act() -> Select[Any]:
    """When each person last did something themselves: an act, a click, a word on consent; else when they came."""
    acts = (
        select(event.c.lead_id, func.max(type_coerce(event.c.occurred_at, BigInteger)).label("at"))
        .where(event.c.lead_id.is_not(None), event.c.weight > 0, event.c.kind.not_in(_NOT_THEIRS))
        .group_by(event.c.lead_id)
        .subquery("acts")
    )
    words = _words().subquery("words")
    came = type_coerce(lead.c.first_seen_at, BigInteger)
    last = greatest(greatest(came, func.coalesce(acts.c.at, 0)), func.coalesce(words.c.at, 0))
    joined = lead.outerjoin(acts, acts.c.lead_id == lead.c.id).outerjoin(words, words.c.lead_id == lead.c.id)
    return select(lead.c.id.label("lead_id"), last.label("at")).select_from(joined)


def _words() -> Select[Any]:
    """The last time each person agreed or refused, by their own hand."""
    own = consent.c.method.in_(("form", "double_opt_in", "preferences", "keep"))
    at = func.max(type_coerce(consent.c.at, BigInteger)).label("at")
    kept = (
        select(confirmation.c.lead_id, type_coerce(confirmation.c.used_at, BigInteger).label("at"))
        .where(confirmation.c.used_at.is_not(None))
        .subquery("kept")
    )
    said = select(consent.c.lead_id, at).where(own).group_by(consent.c.lead_id)
    clicked = select(kept.c.lead_id, func.max(kept.c.at).label("at")).group_by(kept.c.lead_id)
    both: Subquery = said.union_all(clicked).subquery("both")
    return select(both.c.lead_id, func.max(both.c.at).label("at")).group_by(both.c.lead_id)


def _asked() -> Select[Any]:
    """When each person was last asked whether to stay."""
    at = func.max(type_coerce(confirmation.c.asked_at, BigInteger)).label("at")
    return select(confirmation.c.lead_id, at).where(confirmation.c.kind == Wish.KEEP).group_by(confirmation.c.lead_id)


def drop_old_posts(session: Session, rule: Retention, now: datetime) -> int:
    """DELETE intake: what came from outside, was read, and is too old to be looked at again; how many."""
    old = and_(intake.c.processed_at.is_not(None), intake.c.received_at < micros(now) - rule.raw)
    return len(session.execute(delete(intake).where(old).returning(intake.c.id)).all())


def count_old_posts(session: Session, rule: Retention, now: datetime) -> int:
    """How many `drop_old_posts` would delete."""
    old = and_(intake.c.processed_at.is_not(None), intake.c.received_at < micros(now) - rule.raw)
    return session.scalar(select(func.count()).select_from(intake).where(old)) or 0

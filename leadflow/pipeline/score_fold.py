"""Adds acts to the engagement sums, each act once: a sum holds every act of its lead that is not in `event_inbox`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from leadflow.conditions.compile import where_matches
from leadflow.db import Word, insert_into
from leadflow.models import dirty, engagement, event, event_inbox, growth
from leadflow.pipeline.scope import in_scope, not_ahead
from leadflow.pipeline.score_rules import StoredRule
from leadflow.scoring.columns import over
from leadflow.scoring.rules import Award, taken_off, won_by
from leadflow.types import HOUR, Scope, micros


def forget_dirty(session: Session, now: datetime, scope: Scope) -> int:
    """Put the acts of dirty leads back into the inbox and drop their sums; how many leads that were."""
    lead_ids = select(dirty.c.lead_id).where(in_scope(dirty.c.lead_id, scope), not_ahead(dirty.c.lead_id, now))
    count = session.scalar(select(func.count()).select_from(lead_ids.subquery())) or 0
    session.execute(delete(engagement).where(engagement.c.lead_id.in_(lead_ids)))
    columns = ("id", "month", "lead_id", "occurred_at", "received_at")
    acts = select(*(event.c[name] for name in columns)).where(event.c.lead_id.in_(lead_ids))
    again = insert_into(session, event_inbox).from_select(["event_id", *columns[1:]], acts)
    session.execute(again.on_conflict_do_update(index_elements=["event_id"], set_={"lead_id": again.excluded.lead_id}))
    session.execute(delete(dirty).where(in_scope(dirty.c.lead_id, scope), not_ahead(dirty.c.lead_id, now)))
    return count


def fold_inbox(session: Session, rules: Sequence[StoredRule], now: datetime, scope: Scope) -> int:
    """Take the visible acts out of the inbox into the sums of `rules`; how many acts that were."""
    at, waiting = micros(now), event_inbox.c
    seen = (waiting.batch.is_(None), waiting.occurred_at < at, waiting.received_at < at)
    chosen = (in_scope(waiting.lead_id, scope), not_ahead(waiting.lead_id, now))
    # Marked first: what another connection commits between two statements is not to be deleted unread.
    taken = session.execute(update(event_inbox).where(*seen, *chosen).values(batch=at))
    if rules:
        same = and_(event.c.id == waiting.event_id, event.c.month == waiting.month)
        batch = _acts(rules).select_from(event_inbox.join(event, same)).where(waiting.batch == at)
        # Read first, by key: a planner that does not know how few they are would walk all events by kind.
        sums = _sums(rules, batch.cte("acts", nesting=True).prefix_with("MATERIALIZED"))
        add = insert_into(session, engagement).from_select(["lead_id", "rule", "total"], sums)
        more = {"total": engagement.c.total + add.excluded.total}
        session.execute(add.on_conflict_do_update(index_elements=["lead_id", "rule"], set_=more))
    session.execute(delete(event_inbox).where(waiting.batch == at))
    return int(taken.rowcount)  # type: ignore[attr-defined]


def fold_everything(session: Session, rules: Sequence[StoredRule]) -> None:
    """Sum up new `rules` over all acts that have left the inbox, for every lead whatever the scope."""
    if rules:
        folded = _acts(rules).where(~exists().where(event_inbox.c.event_id == event.c.id))
        sums = _sums(rules, folded.subquery("acts"))
        session.execute(insert(engagement).from_select(["lead_id", "rule", "total"], sums))


def _acts(rules: Sequence[StoredRule]) -> Select[Any]:
    """The acts of known people that weigh, with what `rules` look at."""
    asked = {name for stored in rules for name in stored.rule.where} - {"path"}
    columns = [event.c[name] for name in ("lead_id", "kind", "occurred_at", "path", "weight")]
    columns += [event.c.properties] if asked else []
    return select(*columns).where(event.c.lead_id.is_not(None), event.c.weight > 0)


def _sums(rules: Sequence[StoredRule], act: FromClause) -> Select[Any]:
    """Σ points · weight · g(hour) by lead and rule, for all rules in one pass over the acts."""
    awards = [(stored, award) for stored in rules for award in (won_by(stored.rule), taken_off(stored.rule))]
    paid = _paid(awards)
    earned = (
        select(
            act.c.lead_id,
            paid.c.rule,
            paid.c.half_life,
            over(act.c.occurred_at, HOUR).label("hour"),
            (paid.c.points * act.c.weight).label("points"),
        )
        .select_from(act.join(paid, paid.c.kind == act.c.kind))
        .where(_matches(awards, paid, act))
        .cte("earned", nesting=True)
        .prefix_with("MATERIALIZED")
    )
    grown = and_(growth.c.half_life == earned.c.half_life, growth.c.hour == earned.c.hour)
    gained = cast(func.sum(earned.c.points * growth.c.g), BigInteger)
    key = (earned.c.lead_id, earned.c.rule)
    # In the order of the key, so that rows of one lead lie together.
    return select(*key, gained).select_from(earned.join(growth, grown)).group_by(*key).order_by(*key)


def _paid(awards: Sequence[tuple[StoredRule, Award]]) -> CTE:
    """A row for each kind of act an award pays for."""
    rows = [
        select(
            literal(i, BigInteger).label("award"),
            literal(stored.id, BigInteger).label("rule"),
            literal(kind, Word).label("kind"),
            literal(award.points, BigInteger).label("points"),
            literal(stored.rule.half_life, BigInteger).label("half_life"),
        )
        for i, (stored, award) in enumerate(awards)
        for kind in award.kinds
    ]
    return union_all(*rows).cte("paid")


def _matches(awards: Sequence[tuple[StoredRule, Award]], paid: CTE, act: FromClause) -> ColumnElement[bool]:
    """Whether the act has the properties that the award of the row asks for."""
    asked = {i: and_(*where_matches(act, award.where)) for i, (_, award) in enumerate(awards) if award.where}
    return case(asked, value=paid.c.award, else_=true())

"""Keeps the stored engagement rules and the growth table in step with the playbook and the hour."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from leadflow.db import load_rows
from leadflow.models import engagement, event, growth, scoring_rule
from leadflow.playbook.model import EngagementRule
from leadflow.scoring.decay import REACH, growth_rows, hour_of, landmark_at
from leadflow.scoring.rules import fingerprint_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """An engagement rule with the id its sums are kept under."""

    id: int
    rule: EngagementRule


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedRules:
    """The rules whose sums go on, and those to fold again from all events."""

    going_on: tuple[StoredRule, ...]
    changed: tuple[StoredRule, ...]


def sync_rules(session: Session, rules: Sequence[EngagementRule], now: datetime) -> SyncedRules:
    """Store today's rules; a new, changed or vanished one, or a new landmark, loses its sums for everyone.

    For everyone whatever the scope: a rule's row stands for all leads, so half a change would be neither rule.
    """
    landmarks = {rule.half_life: landmark_at(rule.half_life, hour_of(now)) for rule in rules}
    wanted = {rule.name: (fingerprint_of(rule), landmarks[rule.half_life]) for rule in rules}
    stored = session.execute(select(scoring_rule)).all()
    going_on = {row.name: row.id for row in stored if wanted.get(row.name) == (row.fingerprint, row.landmark)}
    if stale := [row.id for row in stored if row.name not in going_on]:
        session.execute(delete(engagement).where(engagement.c.rule.in_(stale)))
        session.execute(delete(scoring_rule).where(scoring_rule.c.id.in_(stale)))
        _forget_growth(session, {row.half_life for row in stored if landmarks.get(row.half_life) != row.landmark})
    _fill_growth(session, landmarks, now)
    return SyncedRules(
        going_on=tuple(StoredRule(id=going_on[rule.name], rule=rule) for rule in rules if rule.name in going_on),
        changed=_store(session, [rule for rule in rules if rule.name not in going_on], wanted),
    )


def _store(
    session: Session, rules: Sequence[EngagementRule], wanted: Mapping[str, tuple[str, int]]
) -> tuple[StoredRule, ...]:
    made = []
    for rule in rules:
        said, landmark = wanted[rule.name]
        row = {"name": rule.name, "fingerprint": said, "half_life": rule.half_life, "landmark": landmark}
        made.append(session.execute(insert(scoring_rule).returning(scoring_rule.c.id), row).scalar_one())
    return tuple(StoredRule(id=key, rule=rule) for key, rule in zip(made, rules, strict=True))


def _forget_growth(session: Session, half_lives: Iterable[int]) -> None:
    session.execute(delete(growth).where(growth.c.half_life.in_(sorted(half_lives))))


def _fill_growth(session: Session, landmarks: Mapping[int, int], now: datetime) -> None:
    """Add the hours since the last fill, and those before it that an older event now asks for."""
    bounds = [f(growth.c.hour) for f in (func.min, func.max)]
    known = [select(bound).where(growth.c.half_life == h).scalar_subquery() for h in landmarks for bound in bounds]
    ends = [select(f(event.c.occurred_at)).scalar_subquery() for f in (func.min, func.max)]
    oldest, newest, *filled = session.execute(select(*ends, *known)).one()
    rows: list[dict[str, int]] = []
    for i, (half_life, landmark) in enumerate(landmarks.items()):
        first = hour_of(now if oldest is None else oldest)
        # A lead seen by a later sweep may have acts after `now`; its sums are not to lose them.
        last = max(hour_of(now), min(hour_of(newest or now), landmark + REACH * half_life))
        low, high = filled[2 * i : 2 * i + 2]
        low = last + 1 if low is None else low
        high = last if high is None else high
        rows += growth_rows(half_life, range(first, low), landmark)
        rows += growth_rows(half_life, range(high + 1, last + 1), landmark)
    if rows:
        load_rows(session, growth, rows)

"""Engagement at any instant, from the acts alone: what tests hold against the sums, and `why --at` for another day."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from leadflow.conditions.evaluate import Act
from leadflow.playbook.model import EngagementRule
from leadflow.scoring.columns import LATELY
from leadflow.scoring.decay import growth_of, hour_of, landmark_at
from leadflow.scoring.rules import Award, taken_off, won_by
from leadflow.scoring.sheet import Entry, Sheet, add_up, clamp, divide


def engagement_at(
    acts: Iterable[Act], rules: Sequence[EngagementRule], groups: Mapping[str, int], now: datetime
) -> Sheet:
    """The engagement of a person with these acts, bit for bit as a sweep at `now` computes it."""
    seen = [act for act in acts if act.occurred_at < now and act.received_at < now]
    return add_up([Entry(rule.name, rule.group, _term(seen, rule, now), rule.max) for rule in rules], groups)


def _term(acts: Sequence[Act], rule: EngagementRule, now: datetime) -> int:
    landmark = landmark_at(rule.half_life, hour_of(now))
    total = sum(
        _paid(award, act) * growth_of(rule.half_life, hour_of(act.occurred_at), landmark)
        for award in (won_by(rule), taken_off(rule))
        for act in acts
    )
    return divide(total, growth_of(rule.half_life, hour_of(now), landmark))


def velocity_at(acts: Iterable[Act], rules: Sequence[EngagementRule], now: datetime) -> int:
    """Hundredths of a point won in the last seven days, each rule held to its `max`, without decay."""
    since = now - timedelta(microseconds=LATELY)
    late = [act for act in acts if since <= act.occurred_at < now and act.received_at < now]
    return sum(clamp(sum(_paid(won_by(rule), act) for act in late), rule.max) for rule in rules)


def _paid(award: Award, act: Act) -> int:
    return award.points * act.weight if award.pays(act) else 0

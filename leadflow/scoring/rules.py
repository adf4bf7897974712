"""Which acts an engagement rule pays for: in SQL over `event`, and in plain Python."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, and_

from leadflow.conditions.compile import where_matches
from leadflow.conditions.evaluate import Act, plain
from leadflow.conditions.words import matches_glob
from leadflow.playbook.model import EngagementRule

#: What a rejection or a lost deal takes off is an act too: weight hundredths of a point, of the rule in its `path`.
RECYCLED = "recycled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """Points of a rule for acts of one of `kinds` that match `where`."""

    kinds: tuple[str, ...]
    where: Mapping[str, tuple[str | int | bool, ...]]
    points: int

    def matches(self, act: FromClause) -> ColumnElement[bool]:
        """Whether a row of `act` earns it."""
        return and_(act.c.kind.in_(self.kinds), *where_matches(act, self.where))

    def pays(self, act: Act) -> bool:
        """Whether `act` earns it."""
        return act.kind in self.kinds and all(_has(act, name, asked) for name, asked in self.where.items())


def _has(act: Act, name: str, patterns: tuple[str | int | bool, ...]) -> bool:
    text = plain(act.path if name == "path" else act.properties.get(name))
    return text is not None and any(matches_glob(text, plain(pattern) or "") for pattern in patterns)


def won_by(rule: EngagementRule) -> Award:
    """What a person can win under `rule`."""
    return Award(kinds=rule.events, where=rule.where, points=rule.points)


def taken_off(rule: EngagementRule) -> Award:
    """What a hand-over that came back takes off `rule`; it decays as the points did."""
    return Award(kinds=(RECYCLED,), where={"path": (rule.name,)}, points=-1)


def fingerprint_of(rule: EngagementRule) -> str:
    """Equal for rules whose sums are equal: caps and groups bind later, so they are left out."""
    where = sorted((name, sorted(map(repr, values))) for name, values in rule.where.items())
    said = repr((sorted(rule.events), where, rule.points, rule.half_life))
    return hashlib.sha256(said.encode()).hexdigest()[:16]

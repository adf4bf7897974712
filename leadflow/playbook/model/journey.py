"""What a score is made of, and where a lead stands on the journey."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadflow.conditions.tree import Condition
from leadflow.types import DAY, NOWHERE, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRule:
    name: str
    group: str
    points: int
    when: Condition
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementRule:
    """Points for matching events; halved every `half_life` hours, the decayed sum clamped to ±`max`."""

    name: str
    group: str
    events: tuple[str, ...]
    where: Mapping[str, tuple[str | int | bool, ...]] = field(default_factory=dict)
    points: int
    #: Whole hours, 24 at least.
    half_life: int
    #: Points; `once: true` is max = points; None is no cap of its own.
    max: int | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VetoRule:
    """Fit band D whatever the points."""

    name: str
    when: Condition
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """Group → max points; rules in file order; lower bounds of the bands, best first (A 75 …, 1 60 …)."""

    fit_groups: Mapping[str, int]
    fit: tuple[FitRule, ...]
    veto: tuple[VetoRule, ...]
    engagement_groups: Mapping[str, int]
    engagement: tuple[EngagementRule, ...]
    fit_bands: tuple[tuple[str, int], ...] = (("A", 75), ("B", 50), ("C", 25))
    engagement_bands: tuple[tuple[str, int], ...] = (("1", 60), ("2", 35), ("3", 15))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    name: str
    does: str = ""
    #: None only for the first stage: everybody starts there.
    when: Condition | None = None
    keep_while: Condition | None = None
    #: Microseconds for which `keep_while` must have failed without a break.
    fall_back_after: int = 30 * DAY
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    name: str
    when: Condition
    #: The field to ask for; None when nobody can be asked.
    ask: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleRules:
    """One owner for each move; any other is refused."""

    prospect_when: Condition | None
    prospect_when_sales_accepts: bool = True
    #: Microseconds of rest after a rejection or a lost deal.
    rest: int = 60 * DAY
    #: Percent of the engagement that is kept when a lead is a lead again.
    earlier_acts_score: int = 100
    disqualify_reasons: tuple[str, ...] = ()
    disqualify_after_rejections: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    stages: tuple[Stage, ...]
    criteria: tuple[Criterion, ...]
    lifecycle: LifecycleRules

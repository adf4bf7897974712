"""The Playbook: all that marketers wrote, typed, frozen and versioned by content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leadflow.conditions.tree import NOWHERE, Condition, Place
from leadflow.conditions.vocabulary import EventSpec, FieldSpec, Vocabulary
from leadflow.email.catalog import Email
from leadflow.steps.base import Step
from leadflow.types import DAY, HOUR, Span

#: Language → text.
Localised = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    name: str
    site: str
    postal_address: str
    #: The first is the fallback.
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    zone: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    name: str
    address: str
    reply_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverRule:
    """Nobody here is mailed or handed over, whatever the rest says."""

    name: str
    when: Condition
    unless_purpose: tuple[str, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `n` counted messages in any `span` microseconds."""

    n: int
    span: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    caps: tuple[Cap, ...]
    defer_at_most: Span
    #: A message planned for later than this waits instead (36 hours).
    horizon: int = 36 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Local wall time; `end <= start` (minutes after midnight) closes on the next day."""

    #: 0 = Monday.
    days: tuple[int, ...]
    start: int
    end: int
    #: lead_country, office or none.
    holidays: str = "lead_country"
    #: Microseconds after opening over which a day's start is spread.
    spread: int = 0
    #: Percent of a queue that may leave in one hour.
    max_share_per_hour: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    sends_over: int | None = None
    times_usual: int | None = None
    handovers_over: int | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """First and last day away, ISO dates of the office."""

    start: str
    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Salesperson:
    name: str
    languages: tuple[str, ...] = ()
    #: Empty: any segment.
    segments: tuple[str, ...] = ()
    #: An apprise URL, or `$NAME` of the environment variable that holds it.
    alert: str = ""
    per_day: int | None = None
    open: int | None = None
    away: tuple[Absence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HotRule:
    """The first that newly holds gives the reason and the clock."""

    name: str
    when: Condition
    #: once (does not wait for the sweep's digest) or sweep.
    at: str = "sweep"
    answer_within: Span
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`to`: account_owner, team_by (keys: segment, language) or manager; the first with somebody free wins."""

    name: str
    to: str
    by: tuple[str, ...] = ()
    pick: str = "least_recent"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """What happens at 100, 200 and 300 % of the clock, and after `after` microseconds."""

    at_100: str = "remind"
    at_200: str = "next_in_route"
    at_300: str = "manager"
    after: int = 14 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    team: tuple[Salesperson, ...]
    manager: Salesperson
    hot: tuple[HotRule, ...]
    routes: tuple[Route, ...]
    same_lead: int = 60 * DAY
    same_account: int = 7 * DAY
    #: Hot rules that ignore both.
    again_unless: tuple[str, ...] = ()
    #: Acts older than this when received may score but not trigger.
    newer_than: int = 24 * HOUR
    no_answer: NoAnswer = field(default_factory=NoAnswer)
    #: Answer → {"label": Localised, "reasons": […], "ask": …}.
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Either `at` a local time of the office on `days`, or `every` so many microseconds."""

    name: str
    #: Minutes after midnight.
    at: int | None = None
    every: int | None = None
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    start: int | None = None
    end: int | None = None
    in_window: bool = False
    catch_up: str = "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    #: embedded, prefect or none.
    scheduler: str
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    name: str
    title: Localised
    why: str = ""
    when: Condition
    #: (expected to match, the lead described in the file).
    examples: tuple[tuple[bool, Mapping[str, Any]], ...] = ()
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reentry:
    """`once`: never again; else after `cool_down` microseconds (always = 1), at most `at_most` entries."""

    again: bool = False
    cool_down: int = 1
    at_most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    name: str
    title: Localised
    track: str
    priority: int = 50
    live: bool = True
    #: How many of those who match already enter a day: 0 none, None all.
    existing_per_day: int | None = 0
    enter: Condition
    exit: Condition | None = None
    goal: Condition | None = None
    #: pause, exit or finish.
    on_unmatch: str = "pause"
    reentry: Reentry = field(default_factory=Reentry)
    steps: tuple[Step, ...]
    #: Step names that are gone for good → the step their people go on to.
    removed: Mapping[str, str] = field(default_factory=dict)
    was: str | None = None
    place: Place = field(default=NOWHERE, compare=False)

    def step(self, name: str) -> Step | None:
        """The step of that name, or the one that was called so."""
        return next((s for s in self.steps if name in (s.name, s.was)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """templates/emails/_base: the frame of every email, and its words by language."""

    layout: str
    text: str
    strings: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """Everything a sweep needs to know about intentions; equal files give an equal `version`."""

    #: Content hash (sha256, hex); people read its first six signs.
    version: str
    #: Relative path → bytes, to be stored when a sweep first uses this version.
    files: Mapping[str, bytes]
    brand: Brand
    office: Office
    senders: Mapping[str, Sender]
    #: The declared fields only; `vocabulary.fields` has the built-in ones too.
    fields: Mapping[str, FieldSpec]
    events: Mapping[str, EventSpec]
    vocabulary: Vocabulary
    segment_order: tuple[str, ...]
    segments: Mapping[str, Segment]
    never: tuple[NeverRule, ...]
    pressure: Pressure
    window: Window
    brake: Brake
    scoring: Scoring
    journey: Journey
    sales: Sales
    schedule: Schedule
    #: Highest priority first, then by name.
    sequences: tuple[Sequence, ...]
    emails: Mapping[str, Email]
    base: Base

    @property
    def short(self) -> str:
        """What people read of the version."""
        return self.version[:6]

    @property
    def segment_conditions(self) -> Mapping[str, Condition]:
        """Segment → its condition, for compiling one inside another."""
        return {name: segment.when for name, segment in self.segments.items()}

    def sequence(self, name: str) -> Sequence | None:
        """The sequence of that name, or the one that was called so."""
        return next((s for s in self.sequences if name in (s.name, s.was)), None)

    def stage_position(self, name: str) -> int:
        """Place of a stage on the journey, 0 for the first and for one no file names."""
        return next((i for i, s in enumerate(self.journey.stages) if s.name == name), 0)

"""Who is handed what, and when the jobs run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leadflow.conditions.tree import Condition
from leadflow.types import DAY, HOUR, NOWHERE, Place, Span


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
class Workers:
    """How delivery is shared out among Prefect's workers."""

    #: Runs beside each other at most; 1 sends in the run itself.
    at_once: int = 1
    #: One run for each so many mails that are due: a run takes ten seconds to begin.
    mails_each: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    #: embedded, prefect or none.
    scheduler: str
    jobs: tuple[Job, ...]
    workers: Workers = field(default_factory=Workers)

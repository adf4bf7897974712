"""Segments, sequences, and the Playbook that holds everything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from leadflow.conditions.tree import Condition
from leadflow.conditions.vocabulary import EventSpec, FieldSpec, Vocabulary
from leadflow.email.catalog import Email
from leadflow.playbook.model.forms import Form, Page
from leadflow.playbook.model.journey import (
    Journey,
    Scoring,
)
from leadflow.playbook.model.limits import Brake, Brand, Delivery, NeverRule, Office, Pressure, Sender, Window
from leadflow.playbook.model.rights import Rights
from leadflow.playbook.model.sales import Sales, Schedule
from leadflow.playbook.model.social import SocialTool
from leadflow.steps.base import END, Step
from leadflow.types import NOWHERE, Place

#: Language → text.
Localised = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    name: str
    title: Localised
    why: str = ""
    #: What a salesperson can say first; {first_name} and {company} stand for the person's.
    opener: Localised = field(default_factory=dict)
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
    #: Every mail of it is a service mail: it goes on while sales have the lead.
    service: bool = False
    place: Place = field(default=NOWHERE, compare=False)

    def step(self, name: str) -> Step | None:
        """The step of that name, or the one that was called so."""
        return next((s for s in self.steps if name in (s.name, s.was)), None)

    def after(self, step: Step) -> Step | None:
        """The step people usually go on to from `step`; None at the end."""
        if step.then == END:
            return None
        if step.then is not None:
            return self.step(step.then)
        place = self.steps.index(step) + 1
        return self.steps[place] if place < len(self.steps) else None

    def onward(self, step: Step) -> list[Step | None]:
        """The steps people may go on to from `step`: the usual one, and those it names."""
        return [self.after(step), *(self.step(name) for name in step.targets)]


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
    #: Sequences that are gone for good: whoever is under way in one leaves it.
    removed_sequences: tuple[str, ...] = ()
    delivery: Delivery = field(default_factory=Delivery)
    forms: Mapping[str, Form] = field(default_factory=dict)
    pages: Mapping[str, Page] = field(default_factory=dict)
    rights: Rights = field(default_factory=Rights)
    social: Mapping[str, SocialTool] = field(default_factory=dict)

    @property
    def short(self) -> str:
        """What people read of the version."""
        return self.version[:6]

    @property
    def segment_conditions(self) -> Mapping[str, Condition]:
        """Segment → its condition, for compiling one inside another."""
        return {name: segment.when for name, segment in self.segments.items()}

    def email_when(self, name: str) -> Condition | None:
        """The condition in an email's `for`, where it has one."""
        return cast("Condition | None", self.emails[name].audience.when)

    def sequence(self, name: str) -> Sequence | None:
        """The sequence of that name, or the one that was called so."""
        return next((s for s in self.sequences if name in (s.name, s.was)), None)

    def stage_position(self, name: str) -> int:
        """Place of a stage on the journey, 0 for the first and for one no file names."""
        return next((i for i, s in enumerate(self.journey.stages) if s.name == name), 0)

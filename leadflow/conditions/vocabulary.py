"""The declared words a condition may use: fields with their types, events with their properties."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class FieldType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    CHOICE = "choice"


class Level(IntEnum):
    """When a fact is known in a sweep: a condition reads lower levels only."""

    #: Attributes, events, consent.
    GIVEN = 0
    #: fit, engagement, band, velocity.
    SCORED = 1
    #: stage, lifecycle, qualification.
    STAGED = 2
    #: segments and segment_main.
    SEGMENTED = 3
    #: with_sales.
    ESCALATED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One word a `field` leaf may name."""

    name: str
    type: FieldType
    choices: tuple[str, ...] = ()
    #: Language → label.
    label: Mapping[str, str] = field(default_factory=dict)
    #: How a form asks for it, where the label alone is no question.
    question: Mapping[str, str] = field(default_factory=dict)
    #: Choice → language → its words, where it has some.
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Built in: a column or a computed value, not a declared attribute.
    builtin: bool = False
    level: Level = Level.GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSpec:
    """One word an `event` leaf may name, and the properties `where` may ask for."""

    name: str
    properties: tuple[str, ...] = ()
    label: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """All declared words."""

    fields: Mapping[str, FieldSpec]
    events: Mapping[str, EventSpec]
    segments: frozenset[str] = frozenset()

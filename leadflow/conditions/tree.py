"""The condition tree: three leaves (`field`, `event`, `segment`) under `all`, `any` and `not`."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from leadflow.types import NOWHERE, Place

#: What an operator compares with, typed at parse: numbers, texts, dates, spans in microseconds, or tuples of them.
Operand: TypeAlias = str | int | float | bool | date | tuple[str | int | float | date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLeaf:
    """`{field: employees, between: [10, 250]}`: false when the value is missing."""

    field: str
    operator: str
    value: Operand
    place: Place = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLeaf:
    """`{event: page_viewed, where: {path: /tarifs*}, at_least: 2, within: 14 days}`; counts acts that weigh."""

    events: tuple[str, ...]
    #: Property → the values or globs of which one must match.
    where: Mapping[str, tuple[str | int | bool, ...]] = dataclasses.field(default_factory=dict)
    at_least: int | None = 1
    at_most: int | None = None
    #: Microseconds back from now; None looks at all history.
    within: int | None = None
    place: Place = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLeaf:
    """`{segment: online-shops}`: is in it tonight."""

    segment: str
    place: Place = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class All:
    """Every one holds; an empty list holds."""

    items: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one holds; an empty list does not."""

    items: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The inner one does not hold; so a missing value passes."""

    item: "Condition"


Condition: TypeAlias = FieldLeaf | EventLeaf | SegmentLeaf | All | AnyOf | Not


def leaves(condition: Condition) -> tuple[FieldLeaf | EventLeaf | SegmentLeaf, ...]:
    """The leaves of `condition`, left to right."""
    match condition:
        case All(items) | AnyOf(items):
            return tuple(leaf for item in items for leaf in leaves(item))
        case Not(item):
            return leaves(item)
        case _:
            return (condition,)

"""Conditions in plain Python: the second opinion that tests hold against the SQL, and what examples are tried with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from leadflow.conditions.operands import stored, today_of, typed
from leadflow.conditions.operators import OPERATORS, Asked
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not, SegmentLeaf
from leadflow.conditions.vocabulary import Vocabulary
from leadflow.conditions.words import matches_glob


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One event of a person."""

    kind: str
    occurred_at: datetime
    received_at: datetime
    path: str | None = None
    #: Hundredths; an act without weight never counts.
    weight: int = 100
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of one lead.

    `fields` holds built-in, computed and declared values by name as they are stored: fit, engagement and velocity in
    hundredths of a point, dates as ISO text or date; a missing value is None or absent.
    """

    fields: Mapping[str, object]
    events: Sequence[Act] = ()
    #: The segments the person is in tonight.
    segments: frozenset[str] = frozenset()
    #: Acts before this instant are left out; None where spent acts count.
    spent_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a person is looked at: when, with which words, with which segments judged in place."""

    now: datetime
    vocabulary: Vocabulary
    #: The others are read from `Person.segments`.
    segments: Mapping[str, Condition] = field(default_factory=dict)
    #: Where `today` is: the office's zone.
    zone: tzinfo = UTC
    #: Microseconds: only acts that came in this soon after they happened.
    fresh_within: int | None = None

    def inside(self, segment: str) -> "View":
        """The view within a segment's own definition, where it is read as a membership so that a cycle ends."""
        others = {name: when for name, when in self.segments.items() if name != segment}
        return replace(self, segments=others)


def holds(condition: Condition, person: Person, view: View) -> bool:
    """Whether `condition` holds for `person` in `view`."""
    match condition:
        case All(items):
            return all(holds(item, person, view) for item in items)
        case AnyOf(items):
            return any(holds(item, person, view) for item in items)
        case Not(item):
            return not holds(item, person, view)
        case FieldLeaf():
            return field_holds(condition, person, view)
        case EventLeaf():
            return count_suits(condition, len(acts_counted(condition, person, view)))
        case SegmentLeaf(segment=name) if name in view.segments:
            return holds(view.segments[name], person, view.inside(name))
        case SegmentLeaf(segment=name):
            return name in person.segments


def field_holds(leaf: FieldLeaf, person: Person, view: View) -> bool:
    """Whether a field's value is there and stands the test."""
    spec, operator = view.vocabulary.fields[leaf.field], OPERATORS[leaf.operator]
    value = typed(person.fields.get(leaf.field), spec, operator)
    if value is None and operator.asked is not Asked.FLAG:
        return False
    return operator.python(value, stored(leaf, spec, today_of(view.now, view.zone)))


def count_suits(leaf: EventLeaf, count: int) -> bool:
    """Whether so many acts are enough, and not too many."""
    return count >= (leaf.at_least or 0) and (leaf.at_most is None or count <= leaf.at_most)


def acts_counted(leaf: EventLeaf, person: Person, view: View) -> list[Act]:
    """The acts a leaf counts; kind, window, properties and weight bind the same ones."""
    return [act for act in person.events if _counts(leaf, act, person, view)]


def _counts(leaf: EventLeaf, act: Act, person: Person, view: View) -> bool:
    if act.kind not in leaf.events or act.weight <= 0:
        return False
    if act.occurred_at >= view.now or act.received_at >= view.now:
        return False
    if leaf.within is not None and act.occurred_at < view.now - timedelta(microseconds=leaf.within):
        return False
    if person.spent_before is not None and act.occurred_at < person.spent_before:
        return False
    fresh = None if view.fresh_within is None else timedelta(microseconds=view.fresh_within)
    if fresh is not None and act.received_at - act.occurred_at > fresh:
        return False
    return all(_has(act, name, patterns) for name, patterns in leaf.where.items())


def _has(act: Act, name: str, patterns: tuple[str | int | bool, ...]) -> bool:
    value = act.path if name == "path" else act.properties.get(name)
    text = plain(value)
    return text is not None and any(matches_glob(text, plain(pattern) or "") for pattern in patterns)


def plain(value: object) -> str | None:
    """A text, whole number or boolean as people write it; None for anything else."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value
        case int():
            return str(value)
        case _:
            return None

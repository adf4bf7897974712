"""Values that stand on either side of what a leaf asks, the nearest first; and an act that a leaf would count."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from leadflow.conditions.evaluate import Act, Person, View, field_holds, plain
from leadflow.conditions.operands import stored, today_of
from leadflow.conditions.operators import OPERATORS
from leadflow.conditions.tree import EventLeaf, FieldLeaf
from leadflow.conditions.vocabulary import FieldSpec, FieldType

#: How many values of a field are worth trying.
_MOST = 3
_SAMPLES = {
    FieldType.TEXT: ("x",),
    FieldType.INTEGER: (0, 1),
    FieldType.NUMBER: (0, 1),
    FieldType.BOOLEAN: (True, False),
    FieldType.DATE: ("2000-01-01",),
    FieldType.CHOICE: (),
}


def values_for(leaf: FieldLeaf, person: Person, view: View, want: bool) -> list[object]:
    """Some values with which `leaf` says `want`; a missing one comes last."""
    spec, present = view.vocabulary.fields[leaf.field], person.fields.get(leaf.field)
    tried = dict.fromkeys(_typed_keys(_near(leaf, spec, view)))
    fits = [value for _kind, value in tried if _says(leaf, value, person, view) is want]
    known = sorted((value for value in fits if value is not None), key=lambda value: _far(value, present))
    return [*known[:_MOST], *(value for value in fits if value is None)]


def _typed_keys(values: Iterator[object]) -> Iterator[tuple[type, object]]:
    # True is 1 where Python compares, not where people do.
    return ((type(value), value) for value in values)


def _says(leaf: FieldLeaf, value: object, person: Person, view: View) -> bool:
    return field_holds(leaf, replace(person, fields={**person.fields, leaf.field: value}), view)


def _far(value: object, present: object) -> float:
    """Numbers are as far apart as they are; of other values the first named is as good as the last."""
    if isinstance(value, int | float) and isinstance(present, int | float):
        return abs(value - present)
    return 0.0


def _near(leaf: FieldLeaf, spec: FieldSpec, view: View) -> Iterator[object]:
    """What is asked, what lies beside it, and what the type knows besides."""
    asked = stored(leaf, spec, today_of(view.now, view.zone))
    for value in asked if isinstance(asked, tuple) else (asked,):
        if leaf.operator != "known":
            yield from _beside(value, spec, OPERATORS[leaf.operator].name)
    yield from spec.choices
    yield from _SAMPLES[spec.type]
    yield None


def _beside(value: Any, spec: FieldSpec, operator: str) -> Iterator[object]:
    match spec.type:
        case FieldType.INTEGER if isinstance(value, int | float):
            yield from (round(value), round(value) + 1, round(value) - 1)
        case FieldType.NUMBER if isinstance(value, int | float):
            yield from (value, value + 0.1, value - 0.1)
        case FieldType.DATE if isinstance(value, str):
            day = date.fromisoformat(value)
            yield from ((day + timedelta(days=n)).isoformat() for n in (0, 1, -1))
        case FieldType.BOOLEAN:
            yield from (value, not value)
        case _ if isinstance(value, str):
            yield _sample(value) if operator == "matches" else value.strip() if operator == "matches_word" else value
            yield f"{value}x"


def _sample(pattern: str) -> str:
    """The shortest text a pattern matches."""
    return pattern.replace("*", "").replace("?", "a")


def act_for(leaf: EventLeaf, now: datetime) -> Act:
    """An act that `leaf` counts, just before `now`."""
    details = {name: _sample(plain(values[0]) or "") for name, values in leaf.where.items() if values}
    path = details.pop("path", None)
    at = now - timedelta(microseconds=1)
    return Act(kind=leaf.events[0], occurred_at=at, received_at=at, path=path, properties=details)

"""From a condition tree to one SQL expression over `Sources`, true or false and never NULL."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, false, func, not_, or_, select, true

from leadflow.conditions.json import (
    glob,
    json_boolean,
    json_date,
    json_is_date,
    json_is_text,
    json_number,
    json_plain,
    json_raw,
    json_text,
)
from leadflow.conditions.operands import is_folded, stored, today_of
from leadflow.conditions.operators import OPERATORS, Asked
from leadflow.conditions.sources import Sources, not_spent
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not, SegmentLeaf
from leadflow.conditions.vocabulary import FieldSpec, FieldType, Vocabulary
from leadflow.conditions.words import after_prefix, is_glob, prefix_of
from leadflow.types import micros


def compile_condition(
    condition: Condition, sources: Sources, now: datetime, vocabulary: Vocabulary
) -> ColumnElement[bool]:
    """Whether `condition` holds at `now` for the lead of `sources.lead_id`."""
    match condition:
        case All(items):
            return and_(true(), *(compile_condition(item, sources, now, vocabulary) for item in items))
        case AnyOf(items):
            return or_(false(), *(compile_condition(item, sources, now, vocabulary) for item in items))
        case Not(item):
            return not_(compile_condition(item, sources, now, vocabulary))
        case FieldLeaf():
            return _field(condition, sources, now, vocabulary.fields[condition.field])
        case EventLeaf():
            return _event(condition, sources, now)
        case SegmentLeaf(segment=name) if name in sources.inline:
            # Inside its own definition a segment is read from `membership`, so that a cycle ends.
            others = {other: when for other, when in sources.inline.items() if other != name}
            return compile_condition(sources.inline[name], replace(sources, inline=others), now, vocabulary)
        case SegmentLeaf(segment=name):
            return _member(name, sources)


def _member(segment: str, sources: Sources) -> ColumnElement[bool]:
    table = sources.membership
    inside = select(table.c.lead_id).where(table.c.segment == segment, table.c.left_at.is_(None))
    return sources.lead_id.in_(inside.correlate(None))


def _field(leaf: FieldLeaf, sources: Sources, now: datetime, spec: FieldSpec) -> ColumnElement[bool]:
    operator = OPERATORS[leaf.operator]
    operand = stored(leaf, spec, today_of(now, sources.zone))
    if operator.asked is Asked.FLAG:
        return operator.sql(field_value(spec, sources), operand)
    if isinstance(operand, tuple) and not operand:
        # A list without any line: nothing is in it, and every known value is outside.
        known = field_value(spec, sources).is_not(None)
        return known if operator.name == "not_in" else false()
    column, is_typed = _compared(spec, sources, words=operator.asked is Asked.WORDS)
    # The type is tested last: most values are not the one asked for, and looking into JSON is what costs.
    return func.coalesce(and_(operator.sql(column, operand), is_typed), false())


#: How a declared field of each type is read from JSON.
READERS: Mapping[FieldType, Callable[[ColumnElement[Any], str], ColumnElement[Any]]] = {
    FieldType.TEXT: json_text,
    FieldType.CHOICE: json_text,
    FieldType.INTEGER: json_number,
    FieldType.NUMBER: json_number,
    FieldType.BOOLEAN: json_boolean,
    FieldType.DATE: json_date,
}


def field_value(spec: FieldSpec, sources: Sources) -> ColumnElement[Any]:
    """The value of a field as people see it; NULL when it is missing or of another type."""
    if spec.name in sources.fields:
        return sources.fields[spec.name]
    if spec.builtin:
        raise LookupError(f"these sources do not know {spec.name}")
    return READERS[spec.type](sources.attributes, spec.name)


#: Fields read from JSON that are compared as they stand there, and the test of what they are.
_TESTS: Mapping[FieldType, Callable[[ColumnElement[Any], str], ColumnElement[Any]]] = {
    FieldType.TEXT: json_is_text,
    FieldType.CHOICE: json_is_text,
    FieldType.DATE: json_is_date,
}


def _compared(spec: FieldSpec, sources: Sources, *, words: bool) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    """What is compared, and whether it is of the field's type."""
    document, key = sources.attributes, spec.name
    if is_folded(spec):
        document, key = sources.folded, f"{spec.name}#words" if words else spec.name
        if key in sources.folded_fields:
            return sources.folded_fields[key], true()
    elif spec.name in sources.fields or spec.builtin or spec.type not in _TESTS:
        return field_value(spec, sources), true()
    return json_raw(document, key), _TESTS[spec.type](document, key)


def _event(leaf: EventLeaf, sources: Sources, now: datetime) -> ColumnElement[bool]:
    least = leaf.at_least or 0
    if least == 0 and leaf.at_most is None:
        return true()
    acts = acts_matching(leaf, sources, now)
    lead_id, count = sources.event.c.lead_id, func.count()
    if least == 0:
        # Who did it more often; a lead without any such act stands in no group, and holds.
        too_many = acts.group_by(lead_id).having(count > leaf.at_most) if leaf.at_most else acts
        return sources.lead_id.not_in(too_many)
    if leaf.at_most is not None:
        return sources.lead_id.in_(acts.group_by(lead_id).having(count.between(least, leaf.at_most)))
    return sources.lead_id.in_(acts if least == 1 else acts.group_by(lead_id).having(count >= least))


def acts_matching(leaf: EventLeaf, sources: Sources, now: datetime) -> Select[Any]:
    """The leads of the acts a leaf counts, once an act: kind, window, properties and weight bind the same rows."""
    act = sources.event
    at = micros(now)
    found = select(act.c.lead_id).correlate(None).where(*visible(act, at), _one_of(act.c.kind, leaf.events))
    if leaf.within is not None:
        found = found.where(act.c.occurred_at >= at - leaf.within)
    if sources.fresh_within is not None:
        found = found.where(act.c.received_at - act.c.occurred_at <= sources.fresh_within)
    if sources.spent:
        found = found.where(not_spent(act, sources.state.alias("spent")))
    return found.where(*where_matches(act, leaf.where))


def visible(act: FromClause, at: int) -> tuple[ColumnElement[bool], ...]:
    """Acts of known people that a sweep at `at` sees and that weigh."""
    # NULL in the list would make NOT IN hold for nobody.
    return (act.c.lead_id.is_not(None), act.c.occurred_at < at, act.c.received_at < at, act.c.weight > 0)


def where_matches(
    act: FromClause, where: Mapping[str, tuple[str | int | bool, ...]]
) -> tuple[ColumnElement[bool], ...]:
    """One test a property: `path` is a column, the others are read from JSON."""
    return tuple(
        or_(false(), *(_property(act, name, plain_text(value)) for value in values)) for name, values in where.items()
    )


def plain_text(value: str | int | bool) -> str:
    """A value as `json_plain` writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _property(act: FromClause, name: str, pattern: str) -> ColumnElement[bool]:
    text: ColumnElement[Any] = act.c.path if name == "path" else json_plain(act.c.properties, name)
    prefix = prefix_of(pattern)
    if prefix is None:
        return glob(text, pattern) if is_glob(pattern) else text == pattern
    if prefix == "":
        return text.is_not(None)
    end = after_prefix(prefix)
    return text >= prefix if end is None else and_(text >= prefix, text < end)


def _one_of(column: ColumnElement[str], values: tuple[str, ...]) -> ColumnElement[bool]:
    return column == values[0] if len(values) == 1 else column.in_(values)

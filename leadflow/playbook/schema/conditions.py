"""The condition language as a schema: each field with the operators that suit it, each event with its properties."""

from collections.abc import Mapping

from leadflow.conditions.operators import OPERATORS, Asked
from leadflow.conditions.vocabulary import FieldSpec, FieldType, Vocabulary
from leadflow.playbook.schema.parts import (
    DATE,
    TEXT,
    TRUTH,
    Schema,
    integer,
    list_of,
    mapping,
    mapping_of,
    named,
    ref,
    several,
)

_TYPES: Mapping[FieldType, Schema] = {
    FieldType.TEXT: TEXT,
    FieldType.INTEGER: integer(),
    FieldType.NUMBER: {"type": "number"},
    FieldType.BOOLEAN: TRUTH,
    FieldType.DATE: DATE,
    FieldType.CHOICE: TEXT,
}


def condition_parts(words: Vocabulary) -> dict[str, Schema]:
    """`condition`, its three leaves, and the acts that rules name."""
    condition = ref("condition")
    kinds = [
        mapping({"all": list_of(condition)}, ["all"]),
        mapping({"any": list_of(condition)}, ["any"]),
        mapping({"not": condition}, ["not"]),
        ref("field_leaf"),
        ref("event_leaf"),
        mapping({"segment": ref("segment")}, ["segment"]),
    ]
    return {
        "condition": {"type": "object", "oneOf": kinds},
        "field_leaf": {"oneOf": [_field(spec) for spec in words.fields.values()] or [mapping_of(TEXT)]},
        "event": named(words.events),
        "where": mapping_of(several(TEXT)),
        "event_leaf": mapping(
            {
                "event": several(ref("event")),
                "where": ref("where"),
                "at_least": integer(0),
                "at_most": integer(0),
                "within": ref("duration"),
            },
            ["event"],
        ),
        "example": _example(words),
    }


def _field(spec: FieldSpec) -> Schema:
    operands = {name: _operand(row.asked, spec) for name, row in OPERATORS.items() if row.suits_field(spec)}
    leaf = mapping({"field": {"const": spec.name}, **operands}, ["field"])
    return {**leaf, "minProperties": 2, "maxProperties": 2}


def _operand(asked: Asked, spec: FieldSpec) -> Schema:
    one = _value(spec)
    match asked:
        case Asked.ONE:
            return one
        case Asked.MANY | Asked.WORDS:
            return several(one)
        case Asked.PAIR:
            return {"type": "array", "items": one, "minItems": 2, "maxItems": 2}
        case Asked.NEXT | Asked.LAST:
            return ref("duration")
        case Asked.FLAG:
            return TRUTH
        case Asked.FILE:
            return TEXT


def _value(spec: FieldSpec) -> Schema:
    return {"enum": list(spec.choices)} if spec.choices else _TYPES[spec.type]


def _example(words: Vocabulary) -> Schema:
    """A lead as the examples of a segment describe it."""
    counts = {"times": integer(1), "ago": ref("duration")}
    acts = {name: mapping_of(TEXT) for name in words.events}
    written = mapping({**acts, **counts})
    fields = {name: TEXT if spec.type is FieldType.DATE else _value(spec) for name, spec in words.fields.items()}
    return mapping({**fields, "events": list_of({"anyOf": [ref("event"), written]})})

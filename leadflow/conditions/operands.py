"""From what people wrote to what is stored: letter case, hundredths, days from today."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from leadflow.conditions.operators import OPERATORS, Asked, Operator
from leadflow.conditions.tree import FieldLeaf
from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.conditions.words import fold, fold_words
from leadflow.types import DAY

#: Points are stored in hundredths: `at_least: 35` asks for 3,500 or more.
HUNDREDTHS = frozenset({"fit", "engagement", "velocity"})

#: Built-in text is stored in one case; a condition may be written in any.
_CASE: Mapping[str, Callable[[str], str]] = {
    "country": str.upper,
    "language": str.lower,
    "email_domain": str.lower,
}
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def is_folded(spec: FieldSpec) -> bool:
    """Whether the field is compared through `lead.folded`: declared text is, whatever its letter case."""
    return spec.type is FieldType.TEXT and not spec.builtin


def stored(leaf: FieldLeaf, spec: FieldSpec, today: date) -> Any:
    """The operand of `leaf` as its values are stored; spans become two ISO dates."""
    operator = OPERATORS[leaf.operator]
    match operator.asked:
        case Asked.FLAG:
            return leaf.value
        case Asked.NEXT:
            return (today.isoformat(), (today + _days(leaf)).isoformat())
        case Asked.LAST:
            return ((today - _days(leaf)).isoformat(), today.isoformat())
        case Asked.WORDS:
            words = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
            return tuple(folded for folded in (fold_words(str(word)) for word in words) if folded.strip())
        case _ if isinstance(leaf.value, tuple):
            return tuple(_stored_one(value, spec) for value in leaf.value)
        case _:
            return _stored_one(leaf.value, spec)


def _days(leaf: FieldLeaf) -> timedelta:
    assert isinstance(leaf.value, int)  # noqa: S101 - a span is whole microseconds
    return timedelta(days=leaf.value // DAY)


def _stored_one(value: Any, spec: FieldSpec) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if spec.name in HUNDREDTHS:
        return round(value * 100)
    if isinstance(value, str) and is_folded(spec):
        return fold(value)
    if isinstance(value, str) and spec.builtin:
        return _CASE.get(spec.name, str)(value)
    return value


def typed(value: object, spec: FieldSpec, operator: Operator) -> Any:
    """`value` of a person as SQL would compare it; None when it is missing or of another type."""
    match spec.type:
        case FieldType.INTEGER | FieldType.NUMBER:
            return value if isinstance(value, int | float) and not isinstance(value, bool) else None
        case FieldType.BOOLEAN:
            return value if isinstance(value, bool) else None
        case FieldType.DATE:
            text = value.isoformat() if isinstance(value, date) else value
            return text if isinstance(text, str) and _ISO_DATE.fullmatch(text) else None
        case _ if not isinstance(value, str):
            return None
        case _ if operator.asked is Asked.WORDS:
            return fold_words(value)
        case _:
            return fold(value) if is_folded(spec) else value


def today_of(now: datetime, zone: tzinfo = UTC) -> date:
    """The date `now` has in `zone`."""
    return now.astimezone(zone).date()

"""The values of a field that are enough to try: one of each stretch in which everything said of it stays the same."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from leadflow.conditions.operands import stored
from leadflow.conditions.operators import OPERATORS, Asked
from leadflow.conditions.tree import FieldLeaf
from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.types import DAY

_SCORES = ("fit", "engagement")
_HUNDREDTHS = 100


def values_of(spec: FieldSpec, said: Sequence[tuple[FieldLeaf, bool]], today: date) -> list[object] | None:
    """Values of which one fits what is `said` (leaf, holds) whenever any fits; None where that cannot be told."""
    leaves = [leaf for leaf, _holds in said]
    if any(leaf.operator == "known" and holds != leaf.value for leaf, holds in said):
        return []
    match spec.type:
        case FieldType.CHOICE:
            return [*spec.choices] or None
        case FieldType.BOOLEAN:
            return [True, False]
        case FieldType.INTEGER | FieldType.NUMBER:
            return list(_numbers(spec, leaves, today))
        case FieldType.DATE:
            return _dates(spec, leaves, today)
        case FieldType.TEXT:
            return _texts(spec, [leaf for leaf, holds in said if holds], today)


def _numbers(spec: FieldSpec, said: list[FieldLeaf], today: date) -> Iterator[object]:
    """Each bound, and what lies beside it: points of scores are kept in hundredths."""
    bounds = sorted({0, *(bound for leaf in said for bound in _bounds(leaf, spec, today))})
    between = [(low + high) / 2 for low, high in pairwise(bounds)] if spec.type is FieldType.NUMBER else []
    for value in (*between, *(bound + step for bound in bounds for step in (-1, 0, 1))):
        if spec.name not in _SCORES or 0 <= value <= 100 * _HUNDREDTHS:
            yield value


def _bounds(leaf: FieldLeaf, spec: FieldSpec, today: date) -> Iterator[int | float]:
    if OPERATORS[leaf.operator].asked is Asked.FLAG:
        return
    operand = stored(leaf, spec, today)
    for value in operand if isinstance(operand, tuple) else (operand,):
        if isinstance(value, int | float):
            yield value


def _dates(spec: FieldSpec, said: list[FieldLeaf], today: date) -> list[object] | None:
    spans = [leaf for leaf in said if OPERATORS[leaf.operator].asked in (Asked.NEXT, Asked.LAST)]
    written = [day for leaf in said if leaf not in spans for day in _days(leaf, spec, today)]
    if spans and written:
        # Whether a calendar day lies within the next days depends on the day it is asked.
        return None
    ends = [today, *written]
    for leaf in spans:
        away = timedelta(days=int(leaf.value) // DAY) if isinstance(leaf.value, int) else timedelta()
        ends.append(today + away if OPERATORS[leaf.operator].asked is Asked.NEXT else today - away)
    return [day + timedelta(days=n) for day in ends for n in (-1, 0, 1)]


def _days(leaf: FieldLeaf, spec: FieldSpec, today: date) -> Iterator[date]:
    operand = stored(leaf, spec, today)
    for value in operand if isinstance(operand, tuple) else (operand,):
        if isinstance(value, str):
            yield date.fromisoformat(value)


def _texts(spec: FieldSpec, held: list[FieldLeaf], today: date) -> list[object] | None:
    """The texts that a leaf names of which one must be it; where there is none, there is always another text."""
    for leaf in held:
        if leaf.operator in ("is", "in", "in_file"):
            named = stored(leaf, spec, today)
            return [*named] if isinstance(named, tuple) else [named]
    return None

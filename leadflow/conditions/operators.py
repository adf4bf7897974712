"""The operators of a `field` leaf, one row each: what it suits, its SQL, its Python, its words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, Numeric, cast, func, literal, or_

from leadflow.conditions.json import glob, has_text, in_array
from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.conditions.words import matches_glob, prefix_of
from leadflow.text import _

#: More values than this travel as one JSON parameter.
_MANY = 200


class Asked(StrEnum):
    """What an operator is compared with."""

    ONE = "one"
    MANY = "many"
    #: The lines of a file.
    FILE = "file"
    #: Two bounds.
    PAIR = "pair"
    #: A stretch of days from today, turned into two bounds.
    NEXT = "next"
    LAST = "last"
    #: One text or several.
    WORDS = "words"
    #: true or false, whatever the type of the field.
    FLAG = "flag"


Sql = Callable[[ColumnElement[Any], Any], ColumnElement[bool]]
Test = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """`sql` and `python` take the value and the operand as it is stored; both say the same on a value that is there."""

    name: str
    asked: Asked
    suits: frozenset[FieldType]
    sql: Sql
    python: Test
    #: How a proof says that it holds, and that it does not; {0} is the operand, {0} and {1} its bounds.
    words: Callable[[], tuple[str, str]]

    def suits_field(self, spec: FieldSpec) -> bool:
        """Whether the operator can be asked of a field; whole words are kept for declared text only."""
        return spec.type in self.suits and not (self.asked is Asked.WORDS and spec.builtin)


def bound(value: Any) -> ColumnElement[Any]:
    """`value` as a parameter wide enough for it; decimals are compared as decimals on PostgreSQL."""
    match value:
        case bool() | str():
            return literal(value)
        case int():
            return literal(value, BigInteger())
        case _:
            return cast(literal(value, Float()), Numeric())


def _between(column: ColumnElement[Any], pair: Any) -> ColumnElement[bool]:
    return column.between(bound(pair[0]), bound(pair[1]))


def _in(column: ColumnElement[Any], values: Any) -> ColumnElement[bool]:
    if len(values) > _MANY and isinstance(values[0], str):
        return in_array(column, values)
    return column.in_([bound(value) for value in values])


def starts_with(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    """Whether `column` begins with `prefix`, wildcards meaning nothing."""
    return func.substr(column, 1, len(prefix)) == prefix


def _matches(column: ColumnElement[Any], pattern: Any) -> ColumnElement[bool]:
    prefix = prefix_of(pattern)
    return glob(column, pattern) if prefix is None else starts_with(column, prefix)


def _has_word(column: ColumnElement[Any], words: Any) -> ColumnElement[bool]:
    return or_(*(has_text(column, literal(word)) for word in words))


_NUMBERS = frozenset({FieldType.INTEGER, FieldType.NUMBER})
_DATES = frozenset({FieldType.DATE})
_TEXTS = frozenset({FieldType.TEXT})
_ALL = frozenset(FieldType)
_LISTED = _ALL - {FieldType.BOOLEAN}

_ROWS = (
    Operator(
        name="is",
        asked=Asked.ONE,
        suits=_ALL,
        sql=lambda c, v: c == bound(v),
        python=lambda x, v: bool(x == v),
        words=lambda: (_("is {0}"), _("is not {0}")),
    ),
    Operator(
        name="is_not",
        asked=Asked.ONE,
        suits=_ALL,
        sql=lambda c, v: c != bound(v),
        python=lambda x, v: bool(x != v),
        words=lambda: (_("is not {0}"), _("is {0}")),
    ),
    Operator(
        name="in",
        asked=Asked.MANY,
        suits=_LISTED,
        sql=_in,
        python=lambda x, v: x in v,
        words=lambda: (_("is one of {0}"), _("is none of {0}")),
    ),
    Operator(
        name="not_in",
        asked=Asked.MANY,
        suits=_LISTED,
        sql=lambda c, v: ~_in(c, v),
        python=lambda x, v: x not in v,
        words=lambda: (_("is none of {0}"), _("is one of {0}")),
    ),
    Operator(
        name="in_file",
        asked=Asked.FILE,
        suits=_LISTED,
        sql=_in,
        python=lambda x, v: x in v,
        words=lambda: (_("is in the list"), _("is not in the list")),
    ),
    Operator(
        name="at_least",
        asked=Asked.ONE,
        suits=_NUMBERS,
        sql=lambda c, v: c >= bound(v),
        python=lambda x, v: bool(x >= v),
        words=lambda: (_("is at least {0}"), _("is less than {0}")),
    ),
    Operator(
        name="at_most",
        asked=Asked.ONE,
        suits=_NUMBERS,
        sql=lambda c, v: c <= bound(v),
        python=lambda x, v: bool(x <= v),
        words=lambda: (_("is at most {0}"), _("is more than {0}")),
    ),
    Operator(
        name="over",
        asked=Asked.ONE,
        suits=_NUMBERS,
        sql=lambda c, v: c > bound(v),
        python=lambda x, v: bool(x > v),
        words=lambda: (_("is more than {0}"), _("is at most {0}")),
    ),
    Operator(
        name="under",
        asked=Asked.ONE,
        suits=_NUMBERS,
        sql=lambda c, v: c < bound(v),
        python=lambda x, v: bool(x < v),
        words=lambda: (_("is less than {0}"), _("is at least {0}")),
    ),
    Operator(
        name="between",
        asked=Asked.PAIR,
        suits=_NUMBERS | _DATES,
        sql=_between,
        python=lambda x, v: bool(v[0] <= x <= v[1]),
        words=lambda: (_("is between {0} and {1}"), _("is not between {0} and {1}")),
    ),
    Operator(
        name="before",
        asked=Asked.ONE,
        suits=_DATES,
        sql=lambda c, v: c < bound(v),
        python=lambda x, v: bool(x < v),
        words=lambda: (_("is before {0}"), _("is not before {0}")),
    ),
    Operator(
        name="after",
        asked=Asked.ONE,
        suits=_DATES,
        sql=lambda c, v: c > bound(v),
        python=lambda x, v: bool(x > v),
        words=lambda: (_("is after {0}"), _("is not after {0}")),
    ),
    Operator(
        name="within_next",
        asked=Asked.NEXT,
        suits=_DATES,
        sql=_between,
        python=lambda x, v: bool(v[0] <= x <= v[1]),
        words=lambda: (_("is between today, {0}, and {1}"), _("is not between today, {0}, and {1}")),
    ),
    Operator(
        name="within_last",
        asked=Asked.LAST,
        suits=_DATES,
        sql=_between,
        python=lambda x, v: bool(v[0] <= x <= v[1]),
        words=lambda: (_("is between {0} and today, {1}"), _("is not between {0} and today, {1}")),
    ),
    Operator(
        name="contains",
        asked=Asked.ONE,
        suits=_TEXTS,
        sql=lambda c, v: has_text(c, literal(v)),
        python=lambda x, v: v in x,
        words=lambda: (_("contains {0}"), _("does not contain {0}")),
    ),
    Operator(
        name="starts_with",
        asked=Asked.ONE,
        suits=_TEXTS,
        sql=starts_with,
        python=lambda x, v: bool(x.startswith(v)),
        words=lambda: (_("starts with {0}"), _("does not start with {0}")),
    ),
    Operator(
        name="matches",
        asked=Asked.ONE,
        suits=_TEXTS,
        sql=_matches,
        python=matches_glob,
        words=lambda: (_("matches {0}"), _("does not match {0}")),
    ),
    Operator(
        name="matches_word",
        asked=Asked.WORDS,
        suits=_TEXTS,
        sql=_has_word,
        python=lambda x, v: any(word in x for word in v),
        words=lambda: (_("has one of the words {0}"), _("has none of the words {0}")),
    ),
    Operator(
        name="known",
        asked=Asked.FLAG,
        suits=_ALL,
        sql=lambda c, v: c.is_not(None) if v else c.is_(None),
        python=lambda x, v: (x is not None) == v,
        words=lambda: (_("is as asked"), _("is not as asked")),
    ),
)

#: Name → operator, in the order of the reference page.
OPERATORS: Mapping[str, Operator] = {row.name: row for row in _ROWS}

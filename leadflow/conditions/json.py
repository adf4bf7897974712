"""Typed reading of JSON columns and text tests, each one construct that SQLite and PostgreSQL spell apart.

A value of another JSON type reads as NULL: CAST('abc' AS BIGINT) is 0 on SQLite and aborts the sweep on PostgreSQL.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Float, Text, literal, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from leadflow.conditions.words import postgres_like, sqlite_glob


def _quoted(text: str) -> ColumnElement[str]:
    # Written into the statement, not bound: keys come from the playbook, and an expression index can then match.
    return literal_column("'" + text.replace("'", "''") + "'", Text())


class JsonRead(FunctionElement[Any]):
    """`column[key]`, or NULL where it is missing or of another type. Arguments: column, PostgreSQL key, SQLite path."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], key: str) -> None:
        if '"' in key or "\\" in key:
            raise ValueError("a JSON key with quotes or backslashes cannot be asked for")
        super().__init__(column, _quoted(key), _quoted(f'$."{key}"'))


class json_raw(JsonRead):  # noqa: N801 - reads as a SQL function
    """Whatever is there, as text on PostgreSQL: to be compared as text beside a test of its type."""

    type = Text()
    inherit_cache = True


class json_is_text(JsonRead):  # noqa: N801
    """Whether a JSON string is there; NULL where nothing is."""

    type = Boolean()
    inherit_cache = True


class json_is_date(JsonRead):  # noqa: N801
    """Whether a JSON string of the shape of an ISO date is there; NULL where nothing is."""

    type = Boolean()
    inherit_cache = True


class json_number(JsonRead):  # noqa: N801
    """A JSON number."""

    type = Float()
    inherit_cache = True


class json_text(JsonRead):  # noqa: N801
    """A JSON string, compared by code point."""

    type = Text()
    inherit_cache = True


class json_boolean(JsonRead):  # noqa: N801
    """A JSON boolean."""

    type = Boolean()
    inherit_cache = True


class json_date(JsonRead):  # noqa: N801
    """A JSON string of the shape of an ISO date, which sorts as text."""

    type = Text()
    inherit_cache = True


class json_plain(JsonRead):  # noqa: N801
    """A JSON string, whole number or boolean as people write it: `seo`, `12`, `true`."""

    type = Text()
    inherit_cache = True


def _parts(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> list[str]:
    return [compiler.process(clause, **kw) for clause in element.clauses]


@compiles(json_raw, "sqlite")
def _(element: json_raw, compiler: SQLCompiler, **kw: Any) -> str:
    column, _key, path = _parts(element, compiler, **kw)
    return f"json_extract({column}, {path})"


@compiles(json_raw, "postgresql")
def _(element: json_raw, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _path = _parts(element, compiler, **kw)
    return f'({column} ->> {key}) COLLATE "C"'


@compiles(json_is_text, "sqlite")
def _(element: json_is_text, compiler: SQLCompiler, **kw: Any) -> str:
    column, _key, path = _parts(element, compiler, **kw)
    return f"(json_type({column}, {path}) = 'text')"


@compiles(json_is_text, "postgresql")
def _(element: json_is_text, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _path = _parts(element, compiler, **kw)
    return f"(jsonb_typeof({column} -> {key}) = 'string')"


@compiles(json_is_date, "sqlite")
def _(element: json_is_date, compiler: SQLCompiler, **kw: Any) -> str:
    column, _key, path = _parts(element, compiler, **kw)
    return f"({_sqlite_date(column, path)})"


@compiles(json_is_date, "postgresql")
def _(element: json_is_date, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _path = _parts(element, compiler, **kw)
    return f"({_postgresql_date(column, key)})"


def _sqlite_date(column: str, path: str) -> str:
    shape = "-".join("[0-9]" * n for n in (4, 2, 2))
    return f"json_type({column}, {path}) = 'text' AND json_extract({column}, {path}) GLOB '{shape}'"


def _postgresql_date(column: str, key: str) -> str:
    # Ten characters that are two hyphens without their digits: a third of what a regular expression costs.
    value = f"({column} ->> {key})"
    shape = f"{value} LIKE '____-__-__' AND translate({value}, '0123456789', '') = '--'"
    return f"jsonb_typeof({column} -> {key}) = 'string' AND {shape}"


@compiles(json_number, "sqlite")
def _(element: json_number, compiler: SQLCompiler, **kw: Any) -> str:
    column, _key, path = _parts(element, compiler, **kw)
    return f"CASE WHEN json_type({column}, {path}) IN ('integer', 'real') THEN json_extract({column}, {path}) END"


@compiles(json_number, "postgresql")
def _(element: json_number, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _path = _parts(element, compiler, **kw)
    return f"CASE WHEN jsonb_typeof({column} -> {key}) = 'number' THEN CAST({column} ->> {key} AS NUMERIC) END"


@compiles(json_text, "sqlite")
def _(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    column, _key, path = _parts(element, compiler, **kw)
    return f"CASE WHEN json_type({column}, {path}) = 'text' THEN json_extract({column}, {path}) END"


@compiles(json_text, "postgresql")
def _(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _path = _parts(element, compiler, **kw)
    return f"CASE WHEN jsonb_typeof({column} -> {key}) = 'string' THEN ({column} ->> {key}) COLLATE \"C\" END"


@compiles(json_boolean, "sqlite")
def _(element: json_boolean, compiler: SQLCompiler, **kw: Any) -> str:
    column, _key, path = _parts(element, compiler, **kw)
    return f"CASE json_type({column}, {path}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"


@compiles(json_boolean, "postgresql")
def _(element: json_boolean, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _path = _parts(element, compiler, **kw)
    return f"CASE WHEN jsonb_typeof({column} -> {key}) = 'boolean' THEN CAST({column} ->> {key} AS BOOLEAN) END"


@compiles(json_date, "sqlite")
def _(element: json_date, compiler: SQLCompiler, **kw: Any) -> str:
    column, _key, path = _parts(element, compiler, **kw)
    return f"CASE WHEN {_sqlite_date(column, path)} THEN json_extract({column}, {path}) END"


@compiles(json_date, "postgresql")
def _(element: json_date, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _path = _parts(element, compiler, **kw)
    return f'CASE WHEN {_postgresql_date(column, key)} THEN ({column} ->> {key}) COLLATE "C" END'


@compiles(json_plain, "sqlite")
def _(element: json_plain, compiler: SQLCompiler, **kw: Any) -> str:
    column, _key, path = _parts(element, compiler, **kw)
    value = f"json_extract({column}, {path})"
    return (
        f"CASE json_type({column}, {path}) WHEN 'text' THEN {value} WHEN 'integer' THEN CAST({value} AS TEXT)"
        " WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' END"
    )


@compiles(json_plain, "postgresql")
def _(element: json_plain, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _path = _parts(element, compiler, **kw)
    kind, value = f"jsonb_typeof({column} -> {key})", f"({column} ->> {key})"
    plain = f"{kind} IN ('string', 'boolean') OR {kind} = 'number' AND {value} ~ '^-?[0-9]+$'"
    return f'CASE WHEN {plain} THEN {value} COLLATE "C" END'


class as_json(FunctionElement[Any]):  # noqa: N801
    """JSON kept as text, to be read from again."""

    type = Text()
    inherit_cache = True


@compiles(as_json, "sqlite")
def _(element: as_json, compiler: SQLCompiler, **kw: Any) -> str:
    (text,) = _parts(element, compiler, **kw)
    return text


@compiles(as_json, "postgresql")
def _(element: as_json, compiler: SQLCompiler, **kw: Any) -> str:
    (text,) = _parts(element, compiler, **kw)
    return f"CAST({text} AS JSONB)"


class has_text(FunctionElement[bool]):  # noqa: N801
    """Whether the first text has the second one in it, wildcards meaning nothing."""

    type = Boolean()
    inherit_cache = True


@compiles(has_text, "sqlite")
def _(element: has_text, compiler: SQLCompiler, **kw: Any) -> str:
    text, part = _parts(element, compiler, **kw)
    return f"(instr({text}, {part}) > 0)"


@compiles(has_text, "postgresql")
def _(element: has_text, compiler: SQLCompiler, **kw: Any) -> str:
    text, part = _parts(element, compiler, **kw)
    return f"(strpos({text}, {part}) > 0)"


class _Glob(FunctionElement[bool]):
    """Arguments: the text, the pattern for GLOB, the pattern for LIKE."""

    type = Boolean()
    inherit_cache = True


def glob(text: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """Whether all of `text` matches `pattern` (`*` and `?`), case and accents told apart on both databases."""
    return _Glob(text, literal(sqlite_glob(pattern)), literal(postgres_like(pattern)))


@compiles(_Glob, "sqlite")
def _(element: _Glob, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern, _like = element.clauses
    return f"({compiler.process(text, **kw)} GLOB {compiler.process(pattern, **kw)})"


@compiles(_Glob, "postgresql")
def _(element: _Glob, compiler: SQLCompiler, **kw: Any) -> str:
    text, _glob, pattern = element.clauses
    # E'' reads the same whatever standard_conforming_strings says.
    return f"({compiler.process(text, **kw)} LIKE {compiler.process(pattern, **kw)} ESCAPE E'\\\\')"


class _InArray(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


def in_array(text: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Whether `text` is one of `values`, sent as one parameter: lists of files outgrow what a statement can bind."""
    return _InArray(text, literal(json.dumps(list(values), ensure_ascii=False)))


@compiles(_InArray, "sqlite")
def _(element: _InArray, compiler: SQLCompiler, **kw: Any) -> str:
    text, values = _parts(element, compiler, **kw)
    return f"({text} IN (SELECT value FROM json_each({values})))"  # noqa: S608 - compiled by SQLAlchemy


@compiles(_InArray, "postgresql")
def _(element: _InArray, compiler: SQLCompiler, **kw: Any) -> str:
    text, values = _parts(element, compiler, **kw)
    return f"({text} IN (SELECT jsonb_array_elements_text(CAST({values} AS JSONB))))"

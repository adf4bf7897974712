"""Writes many rows at once, past SQLAlchemy: COPY on PostgreSQL, one prepared statement on SQLite."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from operator import attrgetter, itemgetter
from typing import Any

import orjson
from sqlalchemy import Boolean, Table, Text, text
from sqlalchemy.orm import Session

Row = Sequence[Any]

#: Lines made at once of columns: more are made while the server reads these.
_AT_ONCE = 500
#: What COPY reads for a missing value, and signs it does not read as they stand.
_MISSING = "\\N"
_SPELT = {ord("\\"): "\\\\", ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}


class Tail:
    """The end of rows that many rows have in common: its values, and how COPY reads them."""

    __slots__ = ("line", "values")

    def __init__(self, *values: Any) -> None:
        """Values as the database stores them."""
        self.values = values
        self.line = "".join(f"\t{_spelt(value)}" for value in values) + "\n"


def as_json(value: Mapping[str, Any]) -> str:
    """`value` as both databases take it for a JSON column."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # A whole number of more than 64 bits.
        return json.dumps(value, ensure_ascii=False)


def insert_rows(session: Session, table: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Write `rows`, whose values stand in the order of `names` and as the database stores them."""
    if not rows:
        return
    columns = ", ".join(names)
    driver = _driver(session)
    if _is_sqlite(session):
        marks = ", ".join("?" * len(names))
        driver.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", rows)  # noqa: S608
        return
    _copy(driver, table.name, columns, rows)


def insert_columns(
    session: Session, table: Table, names: Sequence[str], columns: Sequence[Iterable[Any]], tails: Iterable[Tail]
) -> None:
    """Write rows of which `columns` hold the values of the first of `names` and `tails` those of the others.

    What is made row by row is made while the server takes in the rows before.
    """
    begin_columns(session, table, names, columns, tails)()


def begin_columns(
    session: Session, table: Table, names: Sequence[str], columns: Sequence[Iterable[Any]], tails: Iterable[Tail]
) -> Callable[[], None]:
    """Hand over what `insert_columns` writes; what is given back waits until it is written."""
    listed = ", ".join(names)
    driver = _driver(session)
    if _is_sqlite(session):
        marks = ", ".join("?" * len(names))
        rows = ((*own, *tail.values) for *own, tail in zip(*columns, tails, strict=False))
        return lambda: driver.executemany(f"INSERT INTO {table.name} ({listed}) VALUES ({marks})", rows)  # noqa: S608
    spell = [_speller(table, name) for name, _column in zip(names, columns, strict=False)]
    with ExitStack() as stack:
        copy = stack.enter_context(
            stack.enter_context(driver.cursor()).copy(f"COPY {table.name} ({listed}) FROM STDIN")
        )
        for lines in _lines(spell, [iter(column) for column in columns], iter(tails)):
            copy.write(lines)
            # The library keeps back what fills no block of its own, and the server begins with whole messages only.
            driver.pgconn.flush()
        return stack.pop_all().close


def _lines(
    spell: Sequence[Callable[[list[Any]], list[str]]], columns: Sequence[Iterator[Any]], tails: Iterator[Tail]
) -> Iterator[str]:
    while some := [list(islice(column, _AT_ONCE)) for column in columns]:
        if not some[0]:
            return
        spelt = [told(values) for told, values in zip(spell, some, strict=True)]
        ends = map(attrgetter("line"), islice(tails, len(some[0])))
        yield "".join(chain.from_iterable(zip(map("\t".join, zip(*spelt, strict=True)), ends, strict=True)))


def _speller(table: Table, name: str) -> Callable[[list[Any]], list[str]]:
    """How COPY reads the values of a column."""
    match table.c[name].type:
        case Text():
            return _texts
        case Boolean():
            return lambda values: ["t" if value else "f" for value in values]
        case _:
            return lambda values: [_MISSING if value is None else str(value) for value in values]


def _texts(values: list[str | None]) -> list[str]:
    told = "".join(filter(None, values))
    if any(chr(sign) in told for sign in _SPELT):
        return [_spelt(value) for value in values]
    return [_MISSING if value is None else value for value in values]


def _spelt(value: Any) -> str:
    match value:
        case None:
            return _MISSING
        case bool():
            return "t" if value else "f"
        case _:
            return str(value).translate(_SPELT)


def update_rows(session: Session, table: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Set the columns `names` but the first, which is the key, in the rows it names."""
    if not rows:
        return
    key, *others = names
    driver = _driver(session)
    if _is_sqlite(session):
        changes = ", ".join(f"{name} = ?" for name in others)
        turned = itemgetter(*range(1, len(names)), 0)
        driver.executemany(f"UPDATE {table.name} SET {changes} WHERE {key} = ?", map(turned, rows))  # noqa: S608
        return
    told = f"told_{table.name}"
    columns = ", ".join(names)
    session.execute(text(f"CREATE TEMPORARY TABLE {told} AS SELECT {columns} FROM {table.name} WITH NO DATA"))  # noqa: S608
    _copy(driver, told, columns, rows)
    changes = ", ".join(f"{name} = {told}.{name}" for name in others)
    session.execute(text(f"UPDATE {table.name} SET {changes} FROM {told} WHERE {table.name}.{key} = {told}.{key}"))  # noqa: S608
    session.execute(text(f"DROP TABLE {told}"))


def name_rows(session: Session, table: Table, names: Mapping[int, str]) -> None:
    """Set the column `name` of the rows with these ids."""
    if not names:
        return
    if _is_sqlite(session):
        pairs = [(name, id) for id, name in names.items()]
        _driver(session).executemany(f"UPDATE {table.name} SET name = ? WHERE id = ?", pairs)  # noqa: S608
        return
    told = "unnest(CAST(:ids AS BIGINT[]), CAST(:names AS TEXT[])) AS told(id, name)"
    change = text(f"UPDATE {table.name} SET name = told.name FROM {told} WHERE {table.name}.id = told.id")  # noqa: S608
    session.execute(change, {"ids": list(names), "names": list(names.values())})


def _copy(driver: Any, name: str, columns: str, rows: Iterable[Row]) -> None:
    with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
        write = copy.write_row
        for row in rows:
            write(row)


def _driver(session: Session) -> Any:
    """The driver's own connection, within the session's transaction."""
    return session.connection().connection.driver_connection


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"

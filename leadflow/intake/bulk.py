"""Writes many rows at once, past SQLAlchemy: COPY on PostgreSQL, one prepared statement on SQLite."""

import json
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Table, text
from sqlalchemy.orm import Session

Row = Sequence[Any]


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

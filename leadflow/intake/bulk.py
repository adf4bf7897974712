"""Writes many rows at once, past SQLAlchemy: COPY on PostgreSQL, one prepared statement on SQLite."""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Table, text
from sqlalchemy.orm import Session

Row = Sequence[Any]


def as_json(value: Mapping[str, Any]) -> str:
    """`value` as both databases take it for a JSON column."""
    return orjson.dumps(value).decode()


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

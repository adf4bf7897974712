"""Copies every table from SQLite to PostgreSQL, so that both begin the night from the same rows."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, Table, text

from leadflow.models import metadata
from leadflow.models.schema import create_schema


def copy_database(source: Engine, target: Engine) -> None:
    """All rows of `source` into the empty database `target`, whose counters go on after them."""
    create_schema(target)
    with source.connect() as reading, target.begin() as writing:
        raw = reading.connection.driver_connection
        server = writing.connection.driver_connection
        assert raw is not None
        assert server is not None
        for table in metadata.sorted_tables:
            names = ", ".join(column.name for column in table.c)
            # Past SQLAlchemy: both sides take the stored values as they are.
            rows: Iterator[tuple[Any, ...]] = raw.execute(f"SELECT {names} FROM {table.name}")
            with server.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        for table in metadata.sorted_tables:
            _count_on(writing, table)


def _count_on(connection: Any, table: Table) -> None:
    key = table.autoincrement_column
    if key is not None:
        highest = f"(SELECT MAX({key.name}) FROM {table.name})"
        sequence = f"pg_get_serial_sequence('{table.name}', '{key.name}')"
        connection.execute(text(f"SELECT setval({sequence}, {highest}) WHERE {highest} IS NOT NULL"))

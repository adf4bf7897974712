"""Copies every table from SQLite to PostgreSQL, so that both begin the night from the same rows."""

from typing import Any

from sqlalchemy import Engine, LargeBinary, Table, text

from leadflow.models import metadata
from leadflow.models.schema import create_schema

#: Rows a write.
_BATCH = 20_000


def copy_database(source: Engine, target: Engine) -> None:
    """All rows of `source` into the empty database `target`, whose counters go on after them."""
    create_schema(target)
    with source.connect() as reading, target.begin() as writing:
        raw, server = reading.connection.driver_connection, writing.connection.driver_connection
        assert raw is not None
        assert server is not None
        for table in metadata.sorted_tables:
            for index in table.indexes:
                index.drop(writing)
            names = ", ".join(f'"{column.name}"' for column in table.c)
            # Past SQLAlchemy, and past Python where it can be: the file writes the lines that the server reads.
            lines = raw.execute(f"SELECT {_line(table)} FROM {table.name}")
            with server.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                while rows := lines.fetchmany(_BATCH):
                    copy.write("\n".join(line for (line,) in rows) + "\n")
            for index in table.indexes:
                index.create(writing)
            _count_on(writing, table)


def _line(table: Table) -> str:
    r"""A row as a line of COPY: tabs between values, \N for NULL, backslashes and control characters escaped."""
    return " || char(9) || ".join(f"coalesce({_cell(column)}, '\\N')" for column in table.c)


def _cell(column: Any) -> str:
    value = f'"{column.name}"'
    if isinstance(column.type, LargeBinary):
        return f"'\\\\x' || hex({value})"
    if column.type.compile().upper() in {"TEXT", "VARCHAR", "JSON"}:
        for code, sign in ((92, "\\"), (9, "t"), (10, "n"), (13, "r")):
            value = f"replace({value}, char({code}), '\\{sign}')"
    return value


def _count_on(connection: Any, table: Table) -> None:
    key = table.autoincrement_column
    if key is not None:
        highest = f"(SELECT MAX({key.name}) FROM {table.name})"
        sequence = f"pg_get_serial_sequence('{table.name}', '{key.name}')"
        connection.execute(text(f"SELECT setval({sequence}, {highest}) WHERE {highest} IS NOT NULL"))

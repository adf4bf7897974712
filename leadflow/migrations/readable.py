"""Views `<table>_readable`: the same rows with instants as UTC timestamps, for people with a database client."""

import sqlalchemy as sa
from alembic import op

_SAID = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S', \"{name}\" / 1000000.0, 'unixepoch')",
    "postgresql": "to_timestamp(\"{name}\" / 1000000.0) AT TIME ZONE 'UTC'",
}


def create_readable(table: str, instants: set[str]) -> None:
    """Create `<table>_readable` over today's columns of `table`; `instants` are those in microseconds."""
    bind = op.get_bind()
    said = _SAID[bind.dialect.name]
    columns = [column["name"] for column in sa.inspect(bind).get_columns(table)]
    shown = [f'{said.format(name=name)} AS "{name}"' if name in instants else f'"{name}"' for name in columns]
    op.execute(sa.text(f'CREATE VIEW {table}_readable AS SELECT {", ".join(shown)} FROM "{table}"'))  # noqa: S608


def drop_readable(table: str) -> None:
    """Drop `<table>_readable`."""
    op.execute(sa.text(f"DROP VIEW IF EXISTS {table}_readable"))

"""One database for many tests: statements compiled for one are ready for the next, rows are not."""

from sqlalchemy import Engine, delete, text

from leadflow.models import metadata


def empty(engine: Engine) -> None:
    """Delete every row, and count ids from 1 again."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            names = ", ".join(metadata.tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            return
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))

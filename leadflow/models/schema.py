"""Creates the tables outright, for tests and throw-away databases; real ones are migrated."""

from sqlalchemy import Engine

from leadflow.models import metadata


def create_schema(engine: Engine) -> None:
    """Create every table that is missing."""
    metadata.create_all(engine)

"""The tables' history: `upgrade` brings any database, empty or old, to the present models."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> None:
    """Apply every migration the database has not seen, in one transaction."""
    with engine.begin() as connection:
        command.upgrade(_config(connection), "head")

"""The migrations make the tables that the models say, on both databases."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert, inspect, text

from leadflow.migrations import upgrade
from leadflow.models import metadata, suppression


def empty(engine: Engine) -> None:
    """Take every table out of a prepared database."""
    metadata.drop_all(engine)


def shape(engine: Engine) -> dict[str, Any]:
    """Columns, keys and indexes by table, as the database itself describes them."""
    found = inspect(engine)
    shapes: dict[str, Any] = {}
    for table in sorted(set(found.get_table_names()) - {"alembic_version"}):
        shapes[table] = {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], str(c["default"] or "")) for c in found.get_columns(table)
            ],
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(tuple(u["column_names"]) for u in found.get_unique_constraints(table)),
            "foreign": sorted(
                (tuple(f["constrained_columns"]), f["referred_table"]) for f in found.get_foreign_keys(table)
            ),
        }
    return shapes


def index_sql(engine: Engine) -> list[str]:
    """Each index as the database would create it, conditions included."""
    query = {
        # Tables too, for what no inspector tells: WITHOUT ROWID.
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        " UNION ALL SELECT name || ' ' || (sql LIKE '%WITHOUT ROWID%') FROM sqlite_master"
        " WHERE type = 'table' AND name <> 'alembic_version' ORDER BY 1",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        # And how full pages are.
        " UNION ALL SELECT relname || array_to_string(reloptions, ',') FROM pg_class WHERE reloptions IS NOT NULL"
        " AND relnamespace = 'public'::regnamespace ORDER BY 1",
    }[engine.dialect.name]
    with engine.connect() as connection:
        return list(connection.scalars(text(query)))


def test_migrated_tables_equal_the_models(own_engine: Engine) -> None:
    wanted = shape(own_engine), index_sql(own_engine)
    empty(own_engine)
    upgrade(own_engine)
    assert wanted == (shape(own_engine), index_sql(own_engine))
    with own_engine.connect() as connection:
        assert not compare_metadata(MigrationContext.configure(connection), metadata)


def test_upgrading_twice_changes_nothing(own_engine: Engine) -> None:
    empty(own_engine)
    upgrade(own_engine)
    before = index_sql(own_engine)
    upgrade(own_engine)
    assert before == index_sql(own_engine)


def test_people_read_instants_in_the_readable_views(own_engine: Engine) -> None:
    empty(own_engine)
    upgrade(own_engine)
    with own_engine.begin() as connection:
        connection.execute(
            insert(suppression).values(address_hash="h", reason="bounced", at=1772500500000000, source="s")
        )
        said = connection.execute(text("SELECT at FROM suppression_readable")).scalar_one()
    assert str(said).startswith("2026-03-03 01:15:00")

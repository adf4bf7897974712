"""Statistics taken at a bad moment make no sweep slow: tables that have outgrown theirs are analyzed before a phase."""

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from leadflow.app import sweep
from leadflow.db import make_engine, refresh_statistics
from leadflow.playbook.load import load_playbook
from leadflow.types import Phase
from tests.apps import an_app
from tests.build import NIGHT
from tests.counting import counting
from tests.pipeline.test_score_statements import populate


def analyzed_while_loading(engine: Engine, leads: int) -> None:
    """`leads` people with ten acts each, of whom the statistics say that they are not there."""
    with Session(engine) as loading, loading.begin():
        populate(loading, leads)
        # As autovacuum does, from another connection: it cannot see what is not committed.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            other.execute(text("ANALYZE"))


def estimated(engine: Engine) -> dict[str, float]:
    """Rows as the planner believes, by table."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'"))
        return {row.relname: row.reltuples for row in rows}


def test_tables_of_which_the_planner_believes_that_they_are_empty_are_analyzed(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    analyzed_while_loading(engine, 1000)
    assert estimated(engine)["event"] == 0
    with Session(engine) as session, session.begin():
        refresh_statistics(session)
    assert (estimated(engine)["event"], estimated(engine)["lead_state"]) == (10_000, 1000)
    with Session(engine) as session, session.begin(), counting(engine) as said:
        refresh_statistics(session)
    assert len(said) == 1
    engine.dispose()


def test_a_sweep_after_such_a_load_lives_all_its_phases_within_the_statement_timeout(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    analyzed_while_loading(engine, 2000)
    # Without the analysis the first statement alone takes minutes.
    with engine.begin() as connection:
        connection.execute(text("ALTER DATABASE " + str(engine.url.database) + " SET statement_timeout = '20s'"))
    engine.dispose()
    app = an_app(make_engine(postgres_url), book=load_playbook(Path(__file__).parents[1]))
    assert [outcome.phase for outcome in sweep(app, NIGHT)] == list(Phase)
    app.engine.dispose()


def test_sqlite_is_left_alone(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    with Session(engine) as session:
        refresh_statistics(session)
    engine.dispose()

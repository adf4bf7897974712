"""A night of the phases leaves the rows that the same night leaves when its SQL is written by hand for the playbook."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bench.floor_pass import rows_left, run_floor
from bench.make_data import NOW
from bench.night_before import DECISIONS, live_until_before, measured
from leadflow.db import make_engine
from leadflow.playbook.load import load_playbook
from leadflow.types import EVERYONE


# A database of its own: the statistics of this crowd are not for the tests that share one.
def test_the_phases_leave_the_rows_of_the_pass_written_by_hand(database: str, request: pytest.FixtureRequest) -> None:
    engine = make_engine(request.getfixturevalue(f"{database}_url"))
    playbook = measured(load_playbook(Path(__file__).parents[1]))
    live_until_before(engine, playbook, leads=1500, events=15_000)

    with Session(engine) as session:
        run_floor(session)
        by_hand = rows_left(session.connection())
        session.rollback()
    for phase in DECISIONS.values():
        with Session(engine) as session, session.begin():
            phase(session, playbook, NOW, EVERYONE)

    with engine.connect() as connection:
        assert by_hand == rows_left(connection)
    assert len([row for row in by_hand["message"] if "planned" in row]) > 40
    engine.dispose()

"""Sweeps: one at a time, never back in time, for one lead at once, and as a plan that leaves nothing behind."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session

from leadflow.app import App, open_app, plan, refresh, run_upkeep, seldom, sweep, sweep_one, sweep_raised, sweeping
from leadflow.errors import LockedError, SettingsError, UsageError
from leadflow.models import event, intake, lead_state, lock, metadata
from leadflow.models import sweep as sweeps
from leadflow.playbook.example import copy_example, example_workspace
from leadflow.playbook.load import load_playbook
from leadflow.types import EVERYONE, Leads, Phase, micros
from tests.apps import an_app
from tests.build import NIGHT, add_event, add_lead
from tests.pipeline.sales import open_handover

AT_ONCE = timedelta(seconds=0)


@pytest.fixture
def app(engine: Engine) -> App:
    """The example's playbook over two leads, of whom the second did something."""
    with Session(engine) as session, session.begin():
        for number in (1, 2):
            add_lead(
                session,
                number,
                language="fr",
                country="FR",
                basis="legitimate_interest",
                source="fair",
                informed_on="2026-01-05",
                attributes={"industry": "manufacturing", "employees": 40},
            )
        add_event(session, 1_000_000, 2, "page_viewed", path="/tarifs")
    return an_app(engine, book=load_playbook(example_workspace()))


def rows(app: App, *, without: frozenset[str] = frozenset()) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with Session(app.engine) as session:
        return {
            table.name: sorted(tuple(map(repr, row)) for row in session.execute(select(table)))
            for table in metadata.sorted_tables
            if table.name not in without
        }


def test_a_sweep_lives_all_phases_in_their_order(app: App) -> None:
    assert [outcome.phase for outcome in sweep(app, NIGHT)] == list(Phase)


def test_a_sweep_is_logged_with_its_counts_and_lets_go_of_its_lock(app: App) -> None:
    sweep(app, NIGHT)
    with Session(app.engine) as session:
        log = session.execute(select(sweeps.c.scope, sweeps.c.finished_at, sweeps.c.counts)).one()
        assert session.scalar(select(func.count()).select_from(lock)) == 0
    assert log.scope == "everyone"
    assert log.finished_at is not None
    assert set(log.counts) == set(Phase)


def test_a_second_sweep_at_the_same_instant_changes_no_row(app: App) -> None:
    sweep(app, NIGHT)
    log = frozenset({"sweep"})
    before = rows(app, without=log)
    sweep(app, NIGHT)
    assert rows(app, without=log) == before


def test_of_two_sweeps_one_waits_and_then_gives_up(app: App) -> None:
    with sweeping(app, NIGHT), pytest.raises(LockedError):
        sweep(app, NIGHT, patience=AT_ONCE)


def test_a_sweep_that_was_taken_over_writes_nothing_more(app: App) -> None:
    with sweeping(app, NIGHT) as running, Session(app.engine) as session:
        session.execute(update(lock).values(owner="somebody else", lease_until=2**62))
        session.commit()
        with pytest.raises(LockedError, match="took over"):
            running.run(Phase.SCORE)


def test_a_sweep_never_goes_back_in_time(app: App) -> None:
    sweep(app, NIGHT)
    with pytest.raises(UsageError, match="already run"):
        sweep(app, NIGHT - timedelta(days=1))


def test_the_clock_is_read_once_the_lock_is_held(app: App) -> None:
    held: list[int] = []

    def clock() -> object:
        with Session(app.engine) as session:
            held.append(session.scalar(select(func.count()).select_from(lock)) or 0)
        return NIGHT

    with sweeping(app, clock) as running:  # type: ignore[arg-type]
        assert running.now == NIGHT
    assert held == [1]


def test_a_plan_leaves_every_row_as_it_was(app: App) -> None:
    before = rows(app)
    mails = plan(app, NIGHT, lambda _session, outcomes: {o.phase: o.changed for o in outcomes}[Phase.NURTURE])
    assert mails == 2
    assert rows(app) == before


def told(app: App, act: dict[str, str], received: timedelta) -> None:
    """An act as the door stores it."""
    body = json.dumps(act).encode()
    with Session(app.engine) as session, session.begin():
        session.execute(insert(intake).values(kind="event", received_at=micros(NIGHT + received), body=body))


HAND = {"event": "demo_requested", "email": "p2@x.example"}


def test_the_fast_lane_takes_in_the_act_and_looks_at_that_lead_alone(app: App) -> None:
    told(app, HAND, timedelta(seconds=-1))
    outcomes = sweep_one(app, "p2@x.example", NIGHT)
    assert [outcome.phase for outcome in outcomes] == list(Phase)
    with Session(app.engine) as session:
        seen = dict(session.execute(select(lead_state.c.lead_id, lead_state.c.as_of)).tuples().all())
    assert seen == {1: None, 2: NIGHT}


def test_nobody_under_an_address_is_nothing_to_sweep(app: App) -> None:
    assert [outcome.phase for outcome in sweep_one(app, "nobody@x.example", NIGHT)] == [Phase.CAPTURE]


def test_a_raised_hand_is_answered_once(app: App) -> None:
    told(app, HAND, timedelta(seconds=-1))
    assert len(sweep_raised(app, NIGHT)) == len(Phase)
    assert len(sweep_raised(app, NIGHT + timedelta(minutes=5))) == 1


def test_a_hand_that_a_night_has_seen_is_not_raised_again(app: App) -> None:
    told(app, HAND, timedelta(seconds=-1))
    sweep(app, NIGHT)
    assert len(sweep_raised(app, NIGHT + timedelta(minutes=5))) == 1


def test_whoever_a_salesperson_has_just_taken_is_looked_at_once(app: App) -> None:
    with Session(app.engine) as session, session.begin():
        open_handover(session, 3, state="accepted", answered_at=NIGHT - timedelta(seconds=9))
        open_handover(session, 4, state="rejected", answered_at=NIGHT - timedelta(seconds=9), closed_at=NIGHT)
    assert len(sweep_raised(app, NIGHT)) == len(Phase)
    assert len(sweep_raised(app, NIGHT + timedelta(minutes=5))) == 1
    with Session(app.engine) as session:
        assert session.scalars(select(lead_state.c.lead_id).where(lead_state.c.as_of == NIGHT)).all() == [3]


def test_upkeep_answers_a_hand_that_was_left_up(app: App) -> None:
    told(app, HAND, timedelta(seconds=-1))
    assert run_upkeep(app, NIGHT)["raised_hands"] > 0
    with Session(app.engine) as session:
        assert session.scalar(select(func.count()).select_from(event).where(event.c.kind == "demo_requested")) == 1


def test_upkeep_beside_a_sweep_sends_what_is_due_and_leaves_the_rest_to_the_next(app: App) -> None:
    sweep(app, NIGHT)
    noon = NIGHT + timedelta(hours=9)
    told(app, HAND, timedelta(hours=9, seconds=-1))
    with sweeping(app, noon - timedelta(minutes=1)):
        beside = run_upkeep(app, noon, patience=AT_ONCE)
    assert (beside["left_to_next"], beside["delivered"]) == (1, 2)
    after = run_upkeep(app, noon, patience=AT_ONCE)
    assert after["raised_hands"] > 0
    assert "left_to_next" not in after


def test_a_night_leaves_alone_whom_a_later_fast_lane_has_seen(app: App) -> None:
    later = NIGHT + timedelta(hours=1)
    sweep(app, later, Leads((2,)))
    before = rows(app)["lead_score"]
    sweep(app, NIGHT, EVERYONE)
    changed = set(rows(app)["lead_score"]) ^ set(before)
    assert all(row[0] == "1" for row in changed)


def test_a_process_sees_what_was_merged_this_morning(tmp_path: Path) -> None:
    copy_example(tmp_path)
    app = open_app(tmp_path)
    assert refresh(app) is app
    file = tmp_path / "config" / "leadflow.yaml"
    file.write_text(file.read_text().replace("Atelier Nord", "Atelier Sud"))
    assert refresh(app).playbook.brand.name == "Atelier Sud"


def test_a_simulated_workspace_mails_nobody(tmp_path: Path) -> None:
    copy_example(tmp_path)
    (tmp_path / ".env").write_text("LEADFLOW_SIMULATED=true\nLEADFLOW_ESP=smtp\n")
    with pytest.raises(SettingsError, match="mails nobody"):
        open_app(tmp_path)


def test_a_sign_of_life_does_not_come_with_every_mail() -> None:
    signs: list[int] = []
    report = seldom(lambda: signs.append(1), seconds=3600)
    often = seldom(lambda: signs.append(2), seconds=0)
    for done in range(3):
        report(done)
        often(done)
    assert signs == [2, 2, 2]

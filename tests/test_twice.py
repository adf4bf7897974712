"""All phases twice at one instant, without locks: the second run changes no row, and what comes in at it waits."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from leadflow.app import App, run_phase
from leadflow.db import make_engine
from leadflow.intake.events import NewEvent, record_events
from leadflow.models import decision, hit, intake, message, stage_change, verdict
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing import World, open_world
from leadflow.types import Phase, micros
from tests.busy_night import MORNING, NIGHT, live_up_to_the_night, rows_of
from tests.conftest import make_tables
from tests.engines import Moving
from tests.postgres import Server
from tests.soak import ON_ONE_DATABASE

#: Whole nights, four times a test: the tests of each phase count their lines.
pytestmark = pytest.mark.no_cover


@pytest.fixture(scope="module")
def shipped() -> Playbook:
    """The playbook at the repository's root."""
    return load_playbook(Path(__file__).parents[1])


def _lived(url: str, shipped: Playbook) -> dict[str, int]:
    engine = make_engine(url)
    people = live_up_to_the_night(engine, shipped).people
    engine.dispose()
    return people


@pytest.fixture(scope="module")
def sqlite_eve(tmp_path_factory: pytest.TempPathFactory, shipped: Playbook) -> tuple[Path, dict[str, int]]:
    """A SQLite file on the eve of the night, and who is in it."""
    path = tmp_path_factory.mktemp("eve") / "eve.db"
    make_tables(f"sqlite:///{path}")
    return path, _lived(f"sqlite:///{path}", shipped)


@pytest.fixture(scope="module")
def postgres_eve(postgres: Server, shipped: Playbook) -> Iterator[dict[str, int]]:
    """A PostgreSQL database called `eve`, likewise."""
    postgres.create("eve", template="template")
    yield _lived(postgres.url("eve"), shipped)
    postgres.drop("eve")


@pytest.fixture
def world(
    database: str, shipped: Playbook, moving: dict[str, Moving], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[World]:
    """The eve, in a copy of its own."""
    if database == "sqlite":
        path, people = request.getfixturevalue("sqlite_eve")
        shutil.copyfile(path, tmp_path / "eve.db")
        url = f"sqlite:///{tmp_path / 'eve.db'}"
    else:
        people = request.getfixturevalue("postgres_eve")
        server: Server = request.getfixturevalue("postgres")
        server.create("twice", template="eve")
        url = server.url("twice")
    mover = moving.setdefault(database, Moving(url))
    world = open_world(mover.to(url), shipped, NIGHT)
    world.people.update(people)
    yield world
    mover.leave()
    if database == "postgres":
        server.drop("twice")


def run_phases(app: App, now: datetime) -> None:
    """Every phase in its order, with no lock taken and no job claimed."""
    for phase in Phase:
        run_phase(app, phase, now)


def people_act(world: World, now: datetime) -> None:
    """At this very instant somebody asks for a quote, somebody is new, somebody clicks, and the provider has news."""
    with Session(world.app.engine) as session, session.begin():
        for i in range(20):
            kind, path = ("quote_requested", None) if i % 2 else ("page_viewed", "/tarifs")
            new = NewEvent(
                source="test",
                external_id=f"{now} {i}",
                kind=kind,
                path=path,
                occurred_at=now,
                lead_id=world.people[f"new{i}"],
            )
            record_events(session, [new], received_at=now)
        body = b'{"event": "quote_requested", "email": "stranger@stranger.example", "id": "at this instant"}'
        session.execute(insert(intake), {"kind": "event", "received_at": now, "body": body})
        sent = select(message).where(message.c.state == "accepted").order_by(message.c.id.desc())
        row = session.execute(sent).first()
        assert row is not None
        news = f'[{{"email": "a@b.example", "timestamp": 1, "event": "spamreport", "sg_event_id": "{now}", '
        news += f'"lf_attempt": "{row.attempt_id}"}}]'
        session.execute(insert(intake), {"kind": "sendgrid", "received_at": now, "body": news.encode()})
        visited = {"message_id": row.id, "link_id": 1, "at": now, "method": "GET", "user_agent": "Mozilla/5.0"}
        session.execute(insert(hit), visited)


def changed_tables(world: World, now: datetime) -> list[str]:
    """The tables that a second run at `now` changes, people acting at that instant in between."""
    run_phases(world.app, now)
    people_act(world, now)
    before = rows_of(world.app.engine)
    run_phases(world.app, now)
    after = rows_of(world.app.engine)
    return [name for name in before if before[name] != after[name]]


def happened(engine: Engine, now: datetime) -> dict[str, int]:
    """How often the night did what it is there for."""
    with Session(engine) as session:
        kinds = select(decision.c.kind, func.count()).where(decision.c.at == micros(now)).group_by(decision.c.kind)
        found = {kind: int(n) for kind, n in session.execute(kinds)}
        for word, table, column in (("moves", stage_change, "at"), ("planned", message, "planned_at")):
            found[word] = session.scalar(select(func.count()).where(table.c[column] == micros(now))) or 0
        deferred = select(func.count()).where(verdict.c.reason == "pressure", verdict.c.since == micros(now))
        found["deferred"] = session.scalar(deferred) or 0
    return found


def test_a_second_run_of_all_phases_changes_no_row(world: World) -> None:
    assert changed_tables(world, NIGHT) == []
    found = happened(world.app.engine, NIGHT)
    assert found["planned"] > 100
    for word in ("deferred", "escalate", "exit", "pause", "resume", "enrol", "skip", "stage", "moves"):
        assert found[word] >= 3, (word, found)


def test_nor_does_one_in_the_morning_when_mails_leave_as_they_are_planned(world: World) -> None:
    run_phases(world.app, NIGHT)
    assert changed_tables(world, MORNING) == []
    with Session(world.app.engine) as session:
        left = session.scalar(select(func.count()).where(message.c.sent_at == micros(MORNING)))
    assert left is not None
    assert left > 20


def _seen_late(module: str) -> Callable[[pytest.MonkeyPatch], None]:
    """In this module `< now` means `<= now`."""

    def mutate(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(f"{module}.micros", lambda instant: micros(instant) + 1)

    return mutate


def _conditions_see_late(monkeypatch: pytest.MonkeyPatch) -> None:
    from leadflow.conditions import compile as compiling

    strict = compiling.visible

    def visible(act: Any, at: int) -> Any:
        return strict(act, at + 1)

    for module in ("conditions.compile", "pipeline.crossing", "scoring.columns"):
        monkeypatch.setattr(f"leadflow.{module}.visible", visible)


MUTANTS = {
    "capture": _seen_late("leadflow.pipeline.capture"),
    "provider news": _seen_late("leadflow.pipeline.engage_news"),
    "visits": _seen_late("leadflow.pipeline.engage_signs"),
    "scores": _seen_late("leadflow.pipeline.score_fold"),
    "conditions": _conditions_see_late,
}


@pytest.mark.slow
@ON_ONE_DATABASE
@pytest.mark.parametrize("mutant", MUTANTS)
def test_whatever_sees_acts_at_the_instant_itself_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    MUTANTS[mutant](monkeypatch)
    assert changed_tables(world, NIGHT) != []

"""The fast lane behind the door: urgent acts are answered at once, together, and by one thread."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App, sweep_raised
from leadflow.errors import LockedError
from leadflow.intake.api_keys import ApiScope, new_key
from leadflow.models import intake, lead_state
from leadflow.types import Outcome, Phase
from leadflow.web import lane
from leadflow.web.lane import Lane
from leadflow.web.site import create_site
from tests.web.waiting import SOON, eventually


@pytest.fixture
def door(app: App) -> Iterator[TestClient]:
    with Session(app.engine) as session, session.begin():
        key = new_key(session, "shop", [ApiScope.EVENTS], datetime.now(UTC))
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(create_site(app), raise_server_exceptions=False, headers=headers) as client:
        yield client


def hand(number: int, kind: str = "demo_requested") -> dict[str, str]:
    return {"event": kind, "email": f"p{number}@x.example"}


def looked_at(engine: Engine) -> int:
    with Session(engine) as session:
        return len(session.execute(select(lead_state.c.lead_id).where(lead_state.c.as_of.is_not(None))).all())


def test_a_raised_hand_is_swept_at_once(app: App, door: TestClient) -> None:
    assert door.post("/v1/events", json=hand(7)).status_code == 202
    assert eventually(lambda: looked_at(app.engine) == 1)


def test_hands_that_come_while_it_works_share_one_turn(
    app: App, door: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    told = threading.Event()

    def counted(*given: Any) -> tuple[Outcome, ...]:
        told.wait(SOON)
        outcomes = sweep_raised(*given)
        turns.append(len(outcomes))
        return outcomes

    monkeypatch.setattr(lane, "sweep_raised", counted)
    for number in range(20, 25):
        door.post("/v1/events", json=hand(number))
    told.set()
    assert eventually(lambda: looked_at(app.engine) == 5)
    assert turns.count(len(Phase)) == 1


def test_an_act_that_moves_nobody_wakes_nobody(door: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[Lane] = []
    monkeypatch.setattr(Lane, "wake", lambda lane: woken.append(lane))
    assert door.post("/v1/events", json=hand(7, "page_viewed")).status_code == 202
    assert woken == []


def test_a_failure_leaves_the_act_for_upkeep_and_names_nobody(
    app: App, door: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("p7@x.example is not to be seen")

    monkeypatch.setattr(lane, "sweep_raised", fails)
    assert door.post("/v1/events", json=hand(7)).status_code == 202
    assert eventually(lambda: "ValueError" in caplog.text)
    assert "p7@" not in caplog.text
    with Session(app.engine) as session:
        assert session.scalars(select(intake.c.processed_at)).all() == [None]


def test_a_lane_that_finds_the_lock_taken_comes_back(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def locked_once(*_: object) -> list[Outcome]:
        tries.append(1)
        if len(tries) == 1:
            raise LockedError
        return []

    monkeypatch.setattr(lane, "sweep_raised", locked_once)
    working = Lane(app)
    working.wake()
    assert eventually(lambda: len(tries) == 2)
    working.close()


def test_a_lane_that_moves_nobody_waits_to_be_woken(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[int] = []

    def takes_in(*_: object) -> list[Outcome]:
        turns.append(1)
        return [Outcome(phase=Phase.CAPTURE, changed=3), Outcome(phase=Phase.DELIVER, read=3)]

    monkeypatch.setattr(lane, "sweep_raised", takes_in)
    monkeypatch.setattr(lane, "_REST", 0.01)
    working = Lane(app)
    working.wake()
    assert eventually(lambda: len(turns) == 1)
    time.sleep(0.2)
    working.close()
    assert len(turns) == 1

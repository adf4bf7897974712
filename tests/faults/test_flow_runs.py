"""Processes of Prefect flows killed while they deliver: the outbox decides what is sent again, never Prefect."""

import random
import time
from collections.abc import Iterator

import pytest

from leadflow.scheduler.server import PrefectServer, local_server
from tests.faults.fire import Fire
from tests.faults.manners import BRISK
from tests.faults.outbox import NOTHING, states
from tests.faults.world import Zygote
from tests.soak import SOAK

KILLS = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Iterator[PrefectServer]:
    """A real server; the zygote knows what a flow needs."""
    zygote.load("tests.faults.flow_runs")
    with local_server(tmp_path_factory.mktemp("prefect"), port=0, drive=False) as server:
        yield server


@pytest.mark.skipif(not SOAK, reason="a Prefect server and its flows take a minute: `make soak` kills them")
def test_flow_runs_killed_at_any_moment_lose_and_repeat_nothing(server: PrefectServer, fire: Fire) -> None:
    fire.world(mix=BRISK, seed=12)
    fire.plan(120)
    drawn, told = random.Random(12), {"role": "flow", "api": server.api}
    team = [fire.worker(**told) for _one in range(2)]
    for number in range(KILLS):
        # A run has to be registered, begun and named before it sends.
        time.sleep(0.4 + drawn.expovariate(1 / 0.4))
        if number % 8 == 7 and states(fire.engine)["planned"] < 60:
            fire.plan(60)
        place = drawn.randrange(2)
        fire.strike(team[place])
        team[place] = fire.worker(**told)
    assert fire.settle(120).faults == NOTHING

"""Processes of Prefect flows killed while they deliver: the outbox decides what is sent again, never Prefect."""

import random
import time
from collections.abc import Iterator

import pytest

from leadflow.scheduler.server import PrefectServer, local_server
from tests.faults.fire import Fire
from tests.faults.manners import BRISK
from tests.faults.outbox import NOTHING, in_hands
from tests.faults.world import Zygote, lives, wait_for
from tests.soak import SOAK

KILLS = 60
#: Seconds that a run may take to be registered, begun and named before it sends, on a busy machine: an upkeep first
#: waits its 20 for the sweep lock of one that was killed.
BEGUN = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Iterator[PrefectServer]:
    """A real server; the zygote knows what a flow needs."""
    zygote.load("tests.faults.flow_runs")
    with local_server(tmp_path_factory.mktemp("prefect"), port=0, drive=False) as server:
        yield server


@pytest.mark.skipif(not SOAK, reason="a Prefect server and its flows take a minute: `make soak` kills them")
def test_flow_runs_killed_at_any_moment_lose_and_repeat_nothing(server: PrefectServer, fire: Fire) -> None:
    fire.world(mix=BRISK, seed=12)
    drawn, told = random.Random(12), {"role": "flow", "api": server.api}
    team, midway = [fire.worker(**told) for _one in range(2)], 0
    for _number in range(KILLS):
        enough = fire.arrived + drawn.expovariate(1 / 6)
        fire.plan(30)
        assert wait_for(lambda enough=enough: fire.arrived >= enough, BEGUN), "no flow delivers"
        time.sleep(drawn.random() * 0.05)
        place = drawn.randrange(2)
        fire.strike(team[place])
        wait_for(lambda pid=team[place]: not lives(pid))
        midway += in_hands(fire.engine, team[place]) > 0
        team[place] = fire.worker(**told)
    # The rest struck while a run began, ended, or looked for what a killed one had left.
    assert midway >= KILLS / 4
    assert fire.settle(30).faults == NOTHING

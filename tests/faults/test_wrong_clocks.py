"""Workers whose clocks are an hour or a day off, and step while they work: each mail leaves once all the same."""

import pytest

from tests.faults.conftest import Light, on_one_database
from tests.faults.manners import BRISK
from tests.faults.outbox import NOTHING

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(("step", "on"), on_one_database(HOUR, DAY))
def test_clocks_that_are_off_by_an_hour_or_a_day_either_way_lose_and_repeat_nothing(
    light: Light, step: int, on: str
) -> None:
    with light(on) as fire:
        fire.world(mix=BRISK, seed=step)
        fire.plan(80)
        for wrong in (0, step, -step):
            # Leases, graces and intents are the database's time: only what is due is read off these clocks.
            fire.worker(offset=wrong, steps=step)
        fire.storm(4, workers=2, offset=-step)
        fire.worker()
        assert fire.settle().faults == NOTHING

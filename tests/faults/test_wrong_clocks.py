"""Workers whose clocks are an hour or a day off, and step while they work: each mail leaves once all the same."""

import pytest

from tests.faults.fire import Fire
from tests.faults.manners import BRISK
from tests.faults.outbox import NOTHING

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize("step", [HOUR, DAY], ids=["hour", "day"])
def test_clocks_that_are_off_by_one_in_either_direction_lose_and_repeat_nothing(fire: Fire, step: int) -> None:
    fire.world(mix=BRISK, seed=step)
    fire.plan(80)
    for wrong in (0, step, -step):
        # Leases, graces and intents are the database's time: only what is due is read off these clocks.
        fire.worker(offset=wrong, steps=step)
    fire.storm(4, workers=2, offset=-step)
    fire.worker()
    assert fire.settle().faults == NOTHING

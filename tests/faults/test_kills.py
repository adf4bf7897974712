"""Random SIGKILLs of workers while the provider has a rough evening: nothing lost, nothing twice, nothing stuck."""

import pytest

from tests.faults.fire import Fire
from tests.faults.manners import BRISK
from tests.faults.outbox import NOTHING
from tests.soak import SOAK

#: On each database.
KILLS = 1_000 if SOAK else 40


@pytest.mark.soak
def test_workers_killed_at_any_moment_lose_and_repeat_nothing(fire: Fire) -> None:
    fire.world(mix=BRISK, seed=7)
    fire.plan(200)
    fire.storm(KILLS)
    assert fire.settle().faults == NOTHING

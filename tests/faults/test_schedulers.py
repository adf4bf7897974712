"""Schedulers started together, and killed while they plan and send: each slot has one runner, each mail leaves once."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.conftest import Light, on_one_database
from tests.faults.fire import Fire
from tests.faults.manners import BRISK
from tests.faults.outbox import NOTHING, add_people, states
from tests.faults.world import lives, wait_for
from tests.soak import SOAK

#: A day in six seconds.
PACE = 14_400
KILLS = 150 if SOAK else 12


class Diary:
    """What the schedulers wrote down: a line for each slot they ran."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def runs(self) -> Counter[tuple[str, str, str]]:
        """(job, slot, attempt) → how many processes ran it."""
        return Counter(tuple(line.split()[:3]) for line in self.path.read_text().splitlines())  # type: ignore[misc]


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    return Diary(tmp_path / "diary")


def everybody_has_mail(fire: Fire, people: int, seconds: float = 40) -> bool:
    """Whether each of them comes to have one message, and all of these to an end."""
    return wait_for(lambda: states(fire.engine).total() == people and fire.is_quiet(), seconds)


def test_two_schedulers_and_four_workers_started_at_once_run_each_slot_once(fire: Fire, diary: Diary) -> None:
    add_people(fire.engine, range(1, 81))
    for _scheduler in range(2):
        fire.worker(role="schedule", pace=PACE, journal=str(diary.path), lease=60)
    for _worker in range(4):
        fire.worker(pace=PACE)
    assert everybody_has_mail(fire, 80)
    assert fire.settle().faults == NOTHING
    runs = diary.runs()
    assert ("nightly", "2026-03-23", "1") in runs
    assert set(runs.values()) == {1}
    assert {attempt for _job, _slot, attempt in runs} == {"1"}


def test_schedulers_killed_while_they_plan_and_send_lose_and_repeat_nothing(fire: Fire, diary: Diary) -> None:
    fire.world(mix=BRISK, seed=11)
    drawn, told = random.Random(11), {"role": "schedule", "pace": PACE, "journal": str(diary.path), "lease": 2.0}
    add_people(fire.engine, range(1, 41))
    people, team = 40, [fire.worker(**told), fire.worker(**told), fire.worker(pace=PACE)]
    for number in range(KILLS):
        time.sleep(drawn.expovariate(1 / 0.25))
        if number % 6 == 3:
            add_people(fire.engine, range(people + 1, people + 21))
            people += 20
        place = drawn.randrange(3)
        fire.strike(team[place])
        team[place] = fire.worker(**told) if place < 2 else fire.worker(pace=PACE)
    assert everybody_has_mail(fire, people)
    assert fire.settle().faults == NOTHING
    assert set(diary.runs().values()) == {1}


@pytest.mark.parametrize(("point", "on"), on_one_database("before-plan", "after-plan"))
def test_a_night_killed_where_it_commits_its_plan_is_finished_by_another(
    light: Light, diary: Diary, point: str, on: str
) -> None:
    with light(on) as fire:
        add_people(fire.engine, range(1, 31))
        told = {"role": "schedule", "pace": PACE, "journal": str(diary.path)}
        # It is dead before the other begins: nobody has to wait long to be sure of that.
        victim = fire.worker(**told, point=point, blow="kill", lease=0.5)
        assert wait_for(lambda: not lives(victim), 20)
        fire.kills += 1
        assert states(fire.engine)["planned"] == (30 if point == "after-plan" else 0)
        fire.worker(**told)
        assert everybody_has_mail(fire, 30)
        assert fire.settle().faults == NOTHING
    assert diary.runs()["nightly", "2026-03-23", "2"] == 1

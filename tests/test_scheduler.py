"""The schedule: slots that all machines agree on, claims that one of them wins, nights that are made up for."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from leadflow.app import App, Slot, due_slots, missed_night, next_slot, run_once
from leadflow.app.slots import wall_time
from leadflow.errors import LockedError
from leadflow.models import job_run
from leadflow.pipeline.runs import claim_job, finish_job, job_free, renew_job
from leadflow.playbook.model import Job, Schedule
from leadflow.scheduler.clock import Clock
from leadflow.types import MINUTE, JobState
from tests.apps import an_app

PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def names(job: Job, since: str, now: str, office: ZoneInfo = PARIS) -> list[str]:
    schedule = Schedule(scheduler="embedded", jobs=(job,))
    return [slot.name for slot in due_slots(schedule, office, at(since), at(now))]


NIGHTLY = Job(name="nightly", at=4 * 60 + 15)


def test_a_nightly_job_has_one_slot_a_day_named_by_its_local_date() -> None:
    assert names(NIGHTLY, "2026-03-22T12:00", "2026-03-25T04:15") == ["2026-03-23", "2026-03-24", "2026-03-25"]


def test_a_slot_is_due_at_its_instant_and_not_before() -> None:
    assert names(NIGHTLY, "2026-03-23T04:15", "2026-03-24T04:14") == []


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
@pytest.mark.parametrize("minutes", [90, 120, 150, 179, 180, 255])
def test_a_night_of_a_clock_change_is_lived_once(day: str, minutes: int) -> None:
    job = Job(name="nightly", at=minutes)
    slots = names(job, f"{day}T00:00", f"{day}T23:59")
    assert slots == [day]


def test_a_wall_time_that_clocks_skip_is_the_first_instant_after_the_gap() -> None:
    assert wall_time(PARIS, at("2026-03-29T12:00"), 150) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_wall_time_shown_twice_is_its_first_occurrence() -> None:
    assert wall_time(PARIS, at("2026-10-25T12:00"), 150) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_days_are_days_of_the_office_not_of_greenwich() -> None:
    job = Job(name="nightly", at=4 * 60 + 15, days=(0,))
    auckland = ZoneInfo("Pacific/Auckland")
    slot = next_slot(job, auckland, datetime(2026, 3, 20, tzinfo=UTC))
    assert slot is not None
    assert slot.name == "2026-03-23"


def test_an_interval_job_keeps_to_its_hours_and_days() -> None:
    job = Job(name="escalate", every=10 * MINUTE, days=(0, 1, 2, 3, 4), start=8 * 60, end=18 * 60 + 30)
    friday = names(job, "2026-03-20T18:05", "2026-03-23T08:10")
    assert friday == [
        "2026-03-20T17:10Z",
        "2026-03-20T17:20Z",
        "2026-03-20T17:30Z",
        "2026-03-23T07:00Z",
        "2026-03-23T07:10Z",
    ]


def test_an_interval_job_has_every_instant_of_a_clock_change_once() -> None:
    job = Job(name="upkeep", every=5 * MINUTE)
    slots = names(job, "2026-10-25T00:00", "2026-10-25T06:00")
    assert len(slots) == len(set(slots)) == 7 * 12


def test_slots_of_several_jobs_come_in_the_order_of_time() -> None:
    schedule = Schedule(scheduler="embedded", jobs=(Job(name="upkeep", every=60 * MINUTE), NIGHTLY))
    found = due_slots(schedule, PARIS, at("2026-03-23T03:30"), at("2026-03-23T05:00"))
    assert [slot.job for slot in found] == ["upkeep", "nightly", "upkeep"]


def claim(engine: Engine, owner: str, slot: str = "2026-03-23") -> bool:
    with Session(engine) as session, session.begin():
        return claim_job(session, job="nightly", slot=slot, owner=owner)


def finish(engine: Engine, owner: str, state: JobState, slot: str = "2026-03-23") -> bool:
    with Session(engine) as session, session.begin():
        return finish_job(session, job="nightly", slot=slot, owner=owner, state=state, result={"n": 1})


def lapse(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.execute(update(job_run).values(lease_until=1))


def test_of_many_who_claim_one_slot_at_once_one_wins(engine: Engine) -> None:
    together = Barrier(8)

    def race(number: int) -> bool:
        together.wait()
        return claim(engine, f"owner-{number}")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(race, range(8))) == 1


def test_a_slot_that_is_done_is_never_taken_over(engine: Engine) -> None:
    assert claim(engine, "a")
    assert finish(engine, "a", JobState.DONE)
    lapse(engine)
    assert not claim(engine, "b")


def test_a_failed_slot_keeps_its_result_and_may_be_run_again(engine: Engine) -> None:
    claim(engine, "a")
    finish(engine, "a", JobState.FAILED)
    with Session(engine) as session:
        assert session.execute(select(job_run.c.state, job_run.c.result)).one() == ("failed", {"n": 1})
    assert claim(engine, "b")
    with Session(engine) as session:
        assert session.execute(select(job_run.c.attempt, job_run.c.owner)).one() == (2, "b")


def test_a_lapsed_lease_is_taken_over_and_the_first_owner_hears_of_it(engine: Engine) -> None:
    claim(engine, "a")
    assert not claim(engine, "b")
    lapse(engine)
    assert claim(engine, "b")
    with Session(engine) as session, session.begin():
        assert not renew_job(session, job="nightly", slot="2026-03-23", owner="a")
    assert not finish(engine, "a", JobState.DONE)


def test_whoever_shows_life_keeps_the_claim(engine: Engine) -> None:
    claim(engine, "a")
    lapse(engine)
    with Session(engine) as session, session.begin():
        assert renew_job(session, job="nightly", slot="2026-03-23", owner="a")
    assert not claim(engine, "b")


def test_a_slot_that_failed_too_often_waits_for_a_person(engine: Engine) -> None:
    for owner in "abc":
        claim(engine, owner)
        finish(engine, owner, JobState.FAILED)
    with Session(engine) as session:
        assert not job_free(session, job="nightly", slot="2026-03-23", attempts=3)
        assert job_free(session, job="nightly", slot="2026-03-24", attempts=3)


def test_what_an_act_raises_is_kept_by_its_kind_alone(engine: Engine) -> None:
    app = an_app(engine)

    def act(_claim: object) -> dict[str, int]:
        raise ValueError("claire@vannes.example")

    with pytest.raises(ValueError, match="claire"):
        run_once(app, job="nightly", slot="2026-03-23", act=act)
    with Session(engine) as session:
        assert session.execute(select(job_run.c.state, job_run.c.result)).one() == ("failed", {"error": "ValueError"})


def test_an_act_that_was_taken_over_stops_at_its_next_sign_of_life(engine: Engine) -> None:
    app = an_app(engine)

    def act(mine: object) -> dict[str, int]:
        lapse(engine)
        assert claim(engine, "b")
        mine.renew()  # type: ignore[attr-defined]
        return {}

    with pytest.raises(LockedError):
        run_once(app, job="nightly", slot="2026-03-23", act=act)
    with Session(engine) as session:
        assert session.execute(select(job_run.c.state, job_run.c.owner)).one() == ("running", "b")


def a_clock(app: App, now: str, ran: list[str]) -> Clock:
    def act(app: App, slot: Slot) -> None:
        run_once(app, job=slot.job, slot=slot.name, act=lambda _claim: note(slot))

    def note(slot: Slot) -> dict[str, int]:
        ran.append(f"{slot.job} {slot.name}")
        return {}

    return Clock(app=app, act=act, now=lambda: at(now))


def scheduled(engine: Engine, *jobs: Job) -> App:
    app = an_app(engine)
    return replace(app, playbook=replace(app.playbook, schedule=Schedule(scheduler="embedded", jobs=jobs)))


def test_of_two_clocks_on_one_database_each_slot_is_run_once(engine: Engine) -> None:
    app, ran = scheduled(engine, NIGHTLY), list[str]()
    clocks = [a_clock(app, "2026-03-23T04:15", ran) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda clock: clock.fire("nightly"), clocks))
    assert ran == ["nightly 2026-03-23"]


def test_two_started_schedulers_run_each_slot_of_a_minute_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    # The real thing: two schedulers, their own threads, a job due within the second.
    # One that is due each second has as many slots in a minute as a real one in eight days.
    monkeypatch.setattr("leadflow.app.slots.LONGEST_GAP", timedelta(minutes=1))
    ran: list[str] = []
    every = Job(name="upkeep", every=1_000_000)
    app = scheduled(engine, every)
    clocks = [replace_now(a_clock(app, "2026-03-23T04:15", ran), lambda: datetime.now(UTC)) for _ in range(2)]
    for clock in clocks:
        clock.start()
    time.sleep(2.5)
    for clock in clocks:
        clock.stop()
    assert ran
    assert len(ran) == len(set(ran))


def replace_now(clock: Clock, now: Callable[[], datetime]) -> Clock:
    clock.now = now
    return clock


def test_after_ten_days_off_the_newest_night_alone_is_made_up_for(engine: Engine) -> None:
    app = scheduled(engine, NIGHTLY)
    slot = missed_night(app, at("2026-03-10T12:00"), at("2026-03-23T09:00"))
    assert slot is not None
    assert slot.name == "2026-03-23"


def test_a_night_that_was_lived_is_not_made_up_for(engine: Engine) -> None:
    app = scheduled(engine, NIGHTLY)
    claim(engine, "a")
    finish(engine, "a", JobState.DONE)
    assert missed_night(app, at("2026-03-10T12:00"), at("2026-03-23T09:00")) is None


def test_nights_before_the_first_start_were_nobodys(engine: Engine) -> None:
    app = scheduled(engine, NIGHTLY)
    assert missed_night(app, at("2026-03-23T08:00"), at("2026-03-23T09:00")) is None


def test_a_playbook_may_let_missed_nights_go(engine: Engine) -> None:
    app = scheduled(engine, replace(NIGHTLY, catch_up="none"))
    assert missed_night(app, at("2026-03-10T12:00"), at("2026-03-23T09:00")) is None


def test_delivery_is_not_fired_while_nothing_is_due(engine: Engine) -> None:
    ran: list[str] = []
    app = scheduled(engine, Job(name="deliver", every=5 * MINUTE, in_window=True))
    a_clock(app, "2026-03-23T10:00", ran).fire("deliver")
    assert ran == []

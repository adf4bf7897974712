"""The brake as a rule: normal nights pass, a mistake in a file does not."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.models import hold, sweep
from leadflow.pipeline.brake import Night, Tripped, brake_sweep, judge, past_nights
from leadflow.playbook.model import Brake
from leadflow.types import EVERYONE, Leads
from tests.build import NIGHT, playbook
from tests.pipeline.mails import add_message

BRAKE = Brake(sends_over=500, times_usual=3, handovers_over=12)
#: Mails a night has by weekday: the weekend plans Monday's on Sunday, Saturday plans none.
WEEK = (60, 90, 80, 85, 70, 0, 120)
USUAL = [Night(mails=n, handovers=2) for n in (16, 22, 19, 27)]


def night(mails: int, handovers: int = 2) -> Night:
    return Night(mails=mails, handovers=handovers)


def nights(seed: int, days: int = 200) -> Iterator[tuple[Night, list[Night], list[Night]]]:
    """Night after night of a company that grows, each with those of its weekday and those just before it."""
    chance, lived = random.Random(seed), list[Night]()
    for day in range(days):
        mails = round(WEEK[day % 7] * (1 + day / 200) * chance.lognormvariate(0, 0.3))
        tonight = night(mails, round(chance.gammavariate(2, 1)))
        yield tonight, lived[day % 7 :: 7][-14:], lived[-14:]
        lived.append(tonight)


@pytest.mark.parametrize("seed", range(10))
def test_two_hundred_normal_nights_cause_at_most_one_false_brake(seed: int) -> None:
    tripped = [judge(BRAKE, tonight, alike=alike, lately=lately) for tonight, alike, lately in nights(seed)]
    assert sum(found is not None for found in tripped) <= 1


@pytest.mark.parametrize("seed", range(10))
def test_an_inverted_filter_is_caught_on_any_night(seed: int) -> None:
    # `not` before a filter that let 5 % of 6,000 people through lets the others through instead.
    lived = list(nights(seed))[30:]
    assert all(judge(BRAKE, night(5700), alike=alike, lately=lately) for _tonight, alike, lately in lived)
    relative = Brake(times_usual=3)
    assert all(judge(relative, night(5700), alike=alike, lately=lately) for _tonight, alike, lately in lived)


@pytest.mark.parametrize(
    ("tonight", "expected"),
    [
        (night(27), None),
        (night(66), None),
        (night(67), Tripped(rule="times_usual", what="mails", low=16, high=27)),
        (night(1940), Tripped(rule="sends_over", what="mails", low=16, high=27)),
        (night(20, 13), Tripped(rule="handovers_over", what="handovers", low=2, high=2)),
        (night(20, 12), None),
    ],
)
def test_the_limits_are_the_last_numbers_that_pass(tonight: Night, expected: Tripped | None) -> None:
    assert expected == judge(BRAKE, tonight, alike=USUAL)


def test_small_numbers_are_never_too_many_because_others_were_smaller() -> None:
    assert judge(BRAKE, night(50, 12), alike=[night(0, 0)] * 14) is None
    assert judge(Brake(times_usual=3), night(50, 20), alike=[night(0, 0)] * 14) is None
    assert judge(BRAKE, night(51), alike=[night(0, 0)] * 14) is not None


def test_a_young_workspace_is_compared_with_its_busiest_night() -> None:
    lately = [night(100), *[night(30)] * 6]
    assert judge(BRAKE, night(300), alike=[night(30)], lately=lately) is None
    assert judge(BRAKE, night(301), alike=[night(30)], lately=lately) is not None
    assert judge(BRAKE, night(499), lately=lately[:6]) is None


def test_without_limits_nothing_is_held() -> None:
    assert judge(Brake(), night(100_000, 9_000), alike=USUAL) is None


def log(session: Session, at: datetime, mails: int, **columns: object) -> None:
    counts = {"nurture": {"changed": mails}, "escalate": {"changed": 1}}
    row = {"at": at, "scope": "everyone", "playbook": "p", "started_at": at, "finished_at": at, "counts": counts}
    session.execute(insert(sweep), row | columns)


def test_only_nights_that_left_say_what_is_usual(session: Session) -> None:
    weeks = [NIGHT - timedelta(weeks=n) for n in range(1, 6)]
    for n, at in enumerate(weeks):
        log(session, at, 10 + n)
    log(session, weeks[0] + timedelta(hours=6), 3)
    log(session, weeks[1], 900, scope="7")
    log(session, NIGHT - timedelta(days=1), 70)
    for at, answer in ((weeks[2], "dropped"), (weeks[3], None), (weeks[4], "approved")):
        values = {"at": at, "night": "n", "rule": "r", "what": "mails", "mails": 1, "handovers": 0, "answer": answer}
        session.execute(insert(hold), values)
    alike, lately = past_nights(session, playbook(), NIGHT)
    assert [one.mails for one in alike] == [14, 11, 10]
    assert [one.mails for one in lately] == [14, 11, 10, 70]


def plan_mails(session: Session, n: int) -> None:
    for number in range(1, n + 1):
        add_message(session, number)


def test_a_sweep_over_the_limit_is_held_with_its_numbers(session: Session) -> None:
    plan_mails(session, 3)
    for week in range(1, 5):
        log(session, NIGHT - timedelta(weeks=week), week)
    held = playbook(brake=Brake(sends_over=2))
    assert brake_sweep(session, held, NIGHT, EVERYONE)
    row = session.execute(select(hold)).one()
    assert (row.at, row.night, row.rule, row.what) == (NIGHT, "2026-03-23", "sends_over", "mails")
    assert (row.mails, row.handovers, row.usual_low, row.usual_high) == (3, 0, 1, 4)
    assert brake_sweep(session, held, NIGHT, EVERYONE)
    assert session.execute(select(hold)).one() == row


def test_a_sweep_of_one_lead_is_judged_by_absolute_numbers_alone(session: Session) -> None:
    plan_mails(session, 3)
    assert not brake_sweep(session, playbook(brake=Brake(sends_over=2)), NIGHT, Leads((1, 2)))
    assert brake_sweep(session, playbook(brake=Brake(sends_over=2)), NIGHT, Leads((1, 2, 3)))

"""Accidents of the machine and of its people: what stops them, or why they do no harm."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.app import run_once, sweep
from leadflow.errors import UsageError
from leadflow.models import escalation
from leadflow.testing import World
from tests.accidents.conftest import ABROAD, AFTER, DAY, EVE, SHOP, merge
from tests.accidents.harm import no_mail_went_wrong

# `make soak` has them on PostgreSQL too.
pytestmark = pytest.mark.soak


def test_a_clock_a_day_ahead_lets_no_night_go_back_and_sends_nothing_twice(world: World) -> None:
    world.now += DAY + timedelta(hours=10)
    world.sweep()
    with pytest.raises(UsageError, match="has already run"):
        sweep(world.app, world.now - DAY)
    world.live_until(AFTER)
    no_mail_went_wrong(world)


def test_two_schedulers_live_a_night_once(world: World) -> None:
    night = {"job": "nightly", "slot": "2026-03-05"}
    lived = [run_once(world.app, **night, act=lambda claim: {"slot": claim.slot}) for _ in range(2)]
    assert lived == [{"slot": "2026-03-05"}, None]


def test_a_delivery_run_twice_sends_once(world: World) -> None:
    for number in range(4):
        world.arrive(f"new{number}", ABROAD)
    world.live_until(EVE + timedelta(hours=12))
    world.now = datetime(2026, 3, 5, 15, tzinfo=UTC)
    sent = world.deliver().changed
    again = world.deliver().changed
    assert (sent >= 4, again) == (True, 0)
    no_mail_went_wrong(world)


def test_a_salesperson_who_leaves_holding_people_leaves_them_to_somebody(world: World, folder: Path) -> None:
    world.act("maker0", "quote_requested")
    world.now += timedelta(minutes=1)
    world.sweep_one("maker0")
    with Session(world.app.engine) as session:
        rep = session.scalar(select(escalation.c.rep).where(escalation.c.closed_at.is_(None)))
    assert rep in {"Marc", "Sofia"}
    text = (folder / "config/sales.yaml").read_text()
    start = text.index(f"  - name: {rep}")
    end = min(place for place in (text.find("\n  - name:", start + 5), text.find("\nmanager:", start)) if place > 0)
    (folder / "config/sales.yaml").write_text(text[:start] + text[end + 1 :])
    merge(world, folder)
    for hours in (17, 19, 41):
        world.now = EVE + timedelta(hours=hours)
        world.escalate()
    with Session(world.app.engine) as session:
        now = session.scalar(select(escalation.c.rep).where(escalation.c.closed_at.is_(None)))
    assert now not in {rep, None}
    assert [alert for alert in world.sales.alerts if alert.to == now]
    no_mail_went_wrong(world)


def test_a_zone_no_map_has_is_not_taken_in_and_the_mail_goes_by_the_offices_hours(world: World) -> None:
    with pytest.raises(Exception, match="is not a time zone"):
        world.arrive("new", SHOP | {"zone": "Mars/Phobos"})
    world.arrive("new", SHOP)
    world.live_until(AFTER)
    (mail,) = [mail for mail in world.sent if mail.to == world.address("new")]
    assert 9 <= mail.send_at.astimezone(world.office).hour < 17
    no_mail_went_wrong(world)

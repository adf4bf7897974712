"""Accidents of imports and feeds that nothing refuses: what stops them, or why they do no harm."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.app import held_nights
from leadflow.intake.events import NewEvent, record_events
from leadflow.models import event, lead, lead_score, lifecycle_change, message, stage_change
from leadflow.testing import World
from tests.accidents.conftest import AFTER, DAY, EVE, SHOP
from tests.accidents.harm import brake, count, left, no_mail_went_wrong, waiting

# `make soak` has them on PostgreSQL too.
pytestmark = pytest.mark.soak


def test_an_import_into_live_sequences_that_trips_the_brake_sends_nothing(world: World) -> None:
    brake(world, sends_over=10)
    for number in range(15):
        world.arrive(f"new{number}", SHOP)
    before = left(world)
    world.live_until(AFTER)
    (hold,) = held_nights(world.app)
    assert hold.mails > 10
    assert left(world) == before
    assert waiting(world) == hold.mails


def test_the_same_people_imported_again_are_the_same_people(world: World) -> None:
    people, changes = count(world, select(func.count(lead.c.id))), count(world, select(func.count(stage_change.c.at)))
    for name in ("shop0", "shop1", "maker0", "shop7"):
        world.arrive(name, SHOP if name.startswith("shop") else {})
    world.live_until(AFTER)
    assert count(world, select(func.count(lead.c.id))) == people
    assert count(world, select(func.count(stage_change.c.at))) == changes
    no_mail_went_wrong(world)


def test_somebody_who_unsubscribed_stays_so_under_a_new_import(world: World) -> None:
    world.arrive("shop7", {**SHOP, "basis": "consent", "first_name": "Zoé"})
    world.live_until(AFTER)
    assert [mail.to for mail in world.sent if mail.to == world.address("shop7")] == []
    no_mail_went_wrong(world)


def test_an_import_without_a_legal_basis_is_mailed_to_nobody(world: World) -> None:
    for number in range(4):
        world.arrive(f"new{number}", SHOP | {"basis": "", "source": "", "informed_on": ""})
    world.live_until(AFTER)
    assert not {mail.to for mail in world.sent} & {world.address(f"new{number}") for number in range(4)}


def test_acts_of_last_year_score_and_alert_nobody(world: World) -> None:
    told = len(world.sales.alerts)
    for name in ("maker0", "shop0", "abroad0"):
        world.act(name, "quote_requested", at=world.now - 300 * DAY)
        world.act(name, "page_viewed", at=world.now - 2 * DAY, path="/tarifs")
    world.live_until(AFTER)
    assert len(world.sales.alerts) == told
    assert count(world, select(func.count()).where(event.c.occurred_at < EVE - 200 * DAY)) == 3


def test_acts_told_twice_count_once(world: World) -> None:
    def told() -> None:
        acts = [
            NewEvent(
                source="site", external_id=f"v{n}", kind="page_viewed", occurred_at=EVE, lead_id=world.people["shop0"]
            )
            for n in range(5)
        ]
        with Session(world.app.engine) as session, session.begin():
            record_events(session, acts, received_at=EVE)

    told()
    world.now = EVE + timedelta(hours=1)
    world.sweep()
    mine = select(lead_score.c.engagement).where(lead_score.c.lead_id == world.people["shop0"])
    once = count(world, mine)
    told()
    world.now += timedelta(minutes=1)
    world.sweep()
    assert count(world, mine) == once > 0


def test_a_visitors_clock_a_year_ahead_is_taken_for_now(world: World) -> None:
    world.act("shop0", "page_viewed", at=world.now + 365 * DAY, path="/tarifs")
    world.live_until(AFTER)
    assert count(world, select(func.count()).where(event.c.occurred_at > world.now)) == 0
    no_mail_went_wrong(world)


def test_a_file_of_deals_told_again_moves_nobody_again(world: World) -> None:
    for _ in range(3):
        world.deal("shop0", "won")
        world.deal("shop1", "open")
        world.live_until(world.now + DAY)
    bought = select(func.count(lifecycle_change.c.id)).where(lifecycle_change.c.after == "customer")
    assert count(world, bought) == 1
    later = (message.c.lead_id.in_([world.people["shop0"], world.people["shop1"]]), message.c.sent_at > EVE)
    assert count(world, select(func.count()).where(*later)) == 0
    no_mail_went_wrong(world)

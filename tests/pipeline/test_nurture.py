"""Nurture takes people through their sequences, one mail at a time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.models import message
from tests.pipeline.nurture_world import World, book

PARIS = ZoneInfo("Europe/Paris")


def test_the_first_mail_is_planned_for_the_window_and_the_next_after_a_wait_from_its_sending(session: Session) -> None:
    world = World(session, book())
    world.lead()
    outcome = world.sweep()
    assert (outcome.counts["enrolled"], outcome.counts["planned"], outcome.changed) == (1, 1, 1)
    assert session.execute(select(message.c.send_at)).scalar_one() == datetime(2026, 3, 23, 9, tzinfo=PARIS)
    assert world.enrolments() == [("discovery", "active", "welcome")]
    world.night()
    assert world.enrolments() == [("discovery", "active", "wait")]
    world.night()
    assert world.emails() == [("welcome", "accepted")]
    world.night()
    assert world.emails() == [("welcome", "accepted"), ("guide", "planned")]
    world.night()
    assert world.enrolments() == [("discovery", "ended", "finished")]

"""A day of a provider's news has one outcome, in whatever order, number and parts it is told."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.models import event, message, suppression
from leadflow.pipeline.engage import engage_leads
from leadflow.types import EVERYONE
from tests.build import NIGHT, playbook
from tests.pipeline.day_of_news import live, outcomes, tell
from tests.soak import SOAK

SWEEPS = [NIGHT + timedelta(hours=hours) for hours in (0, 1, 2)]


@pytest.mark.slow
def test_a_day_of_news_has_one_outcome_in_any_order_with_any_copies(engine: Engine, session: Session) -> None:
    is_sqlite = engine.dialect.name == "sqlite"
    days = (5_000 if SOAK else 800) if is_sqlite else (5_000 if SOAK else 200)
    live(session, days)
    for now in tell(session, days, seed=1, sweeps=SWEEPS):
        engage_leads(session, playbook(), now, EVERYONE)
    found = outcomes(session, days)
    assert len(found) == days
    assert {outcome: found.count(outcome) for outcome in set(found)} == {found[0]: days}


def test_and_it_is_the_right_one(session: Session) -> None:
    live(session, 1)
    for now in tell(session, 1, seed=2, sweeps=SWEEPS):
        engage_leads(session, playbook(), now, EVERYONE)
    mails = session.execute(select(message.c.state, message.c.delivery).order_by(message.c.id)).tuples().all()
    assert mails == [("accepted", "complained"), ("accepted", "bounced"), ("accepted", "unsubscribed")]
    reasons = select(suppression.c.address_hash, suppression.c.reason).order_by(suppression.c.address_hash)
    assert session.execute(reasons).tuples().all() == [("h1", "complained"), ("h2", "unsubscribed")]
    clicks = select(event.c.message_id, event.c.weight).where(event.c.kind == "email_clicked")
    weights = session.execute(clicks.order_by(event.c.message_id, event.c.occurred_at)).tuples().all()
    assert weights == [(1, 0), (1, 0), (1, 0), (1, 100), (1, 100), (2, 0), (3, 30), (3, 100)]

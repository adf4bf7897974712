"""What commits late is not lost: what a sweep could not see yet, the next one sees, whatever its number and instant."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from leadflow.app import App, sweep, sweep_raised
from leadflow.db import make_engine
from leadflow.intake.events import NewEvent, record_events
from leadflow.models import engagement, event, event_inbox, intake, message
from leadflow.playbook.example import example_workspace
from leadflow.playbook.load import load_playbook
from leadflow.types import EVERYONE, Leads, Phase, Scope
from tests.apps import an_app
from tests.build import NIGHT, add_lead
from tests.pipeline.mails import add_message

MINUTE = timedelta(minutes=1)
VIEW = {"event": "page_viewed", "path": "/tarifs"}


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    """PostgreSQL, where two transactions number their rows in one order and commit them in another."""
    engine = make_engine(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture
def app(engine: Engine) -> App:
    """The example's playbook over leads 1 and 2."""
    with Session(engine) as session, session.begin():
        for number in (1, 2):
            add_lead(session, number, language="fr", country="FR")
    return an_app(engine, book=load_playbook(example_workspace()))


def store(session: Session, at: datetime, *told: dict[str, Any], kind: str = "event") -> None:
    bodies = [json.dumps(one).encode() for one in told]
    session.execute(insert(intake), [{"kind": kind, "received_at": at, "body": body} for body in bodies])


def acts(engine: Engine) -> dict[str, datetime]:
    with Session(engine) as session:
        return {row.kind: row.received_at for row in session.execute(select(event).order_by(event.c.id))}


def test_an_act_stored_before_a_sweep_and_committed_after_it_is_counted_once(app: App) -> None:
    with Session(app.engine) as slow:
        store(slow, NIGHT - MINUTE, {**VIEW, "email": "p1@x.example"})
        with Session(app.engine) as quick, quick.begin():
            store(quick, NIGHT - MINUTE / 2, {"event": "newsletter_joined", "email": "p2@x.example"})
        sweep(app, NIGHT)
        assert set(acts(app.engine)) == {"newsletter_joined"}
        slow.commit()
    for nights in (1, 2):
        sweep(app, NIGHT + timedelta(days=nights))
    # Received when a sweep could first have seen it: rebuilt, the night before last sees what it saw.
    assert acts(app.engine) == {"newsletter_joined": NIGHT - MINUTE / 2, "page_viewed": NIGHT}
    with Session(app.engine) as session:
        assert set(session.scalars(select(engagement.c.lead_id))) == {1, 2}
        assert session.scalar(select(func.count()).select_from(event_inbox)) == 0


@pytest.mark.parametrize("scope", [EVERYONE, Leads((1,))])
def test_a_hand_whose_row_a_sweep_just_missed_is_still_answered_at_once(app: App, scope: Scope) -> None:
    with Session(app.engine) as slow:
        store(slow, NIGHT - MINUTE, {"event": "demo_requested", "email": "p1@x.example"})
        sweep(app, NIGHT, scope)
        slow.commit()
    assert [one.phase for one in sweep_raised(app, NIGHT + MINUTE)] == list(Phase)
    assert len(sweep_raised(app, NIGHT + 2 * MINUTE)) == 1


def test_a_post_of_the_provider_committed_late_is_read_by_the_next_sweep(app: App) -> None:
    with Session(app.engine) as session, session.begin():
        for number in (11, 12):
            add_message(session, number, state="accepted", attempt_id=f"t-{number}", sent_at=NIGHT - 9 * MINUTE)
    stamp = int((NIGHT - 5 * MINUTE).timestamp())
    late, early = (
        {"event": "delivered", "timestamp": stamp, "lf_attempt": f"t-{n}", "sg_event_id": f"e{n}"} for n in (11, 12)
    )
    with Session(app.engine) as slow:
        # A POST is one row with an array in it.
        slow.execute(
            insert(intake), {"kind": "sendgrid", "received_at": NIGHT - MINUTE, "body": json.dumps([late]).encode()}
        )
        with Session(app.engine) as quick, quick.begin():
            quick.execute(
                insert(intake),
                {"kind": "sendgrid", "received_at": NIGHT - MINUTE, "body": json.dumps([early]).encode()},
            )
        sweep(app, NIGHT)
        slow.commit()
    sweep(app, NIGHT + timedelta(days=1))
    with Session(app.engine) as session:
        assert set(session.scalars(select(message.c.delivery).where(message.c.id.in_([11, 12])))) == {"delivered"}


def test_an_event_with_a_lower_number_that_commits_during_the_fold_is_folded_next_time(app: App) -> None:
    def told(who: int) -> NewEvent:
        at = NIGHT - timedelta(hours=1)
        return NewEvent(source="crm", external_id=f"{who}", kind="page_viewed", occurred_at=at, lead_id=who, path="/x")

    with Session(app.engine) as slow:
        record_events(slow, [told(1)], received_at=NIGHT - MINUTE)
        with Session(app.engine) as quick, quick.begin():
            record_events(quick, [told(2)], received_at=NIGHT - MINUTE)
        sweep(app, NIGHT)
        slow.commit()
    with Session(app.engine) as session:
        assert list(session.scalars(select(event_inbox.c.lead_id))) == [1]
    sweep(app, NIGHT + timedelta(days=1))
    with Session(app.engine) as session:
        sums = session.execute(
            select(engagement.c.lead_id, func.sum(engagement.c.total)).group_by(engagement.c.lead_id)
        )
        totals = {row[0]: row[1] for row in sums}
    assert totals[1] == totals[2] > 0

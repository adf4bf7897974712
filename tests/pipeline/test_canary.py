"""A canary: a night's first mails leave alone, somebody listens, and the others follow or wait for a person."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from leadflow.models import canary, event, hold, message
from leadflow.pipeline.pace import Halt, Pace
from leadflow.pipeline.release import release_night
from leadflow.playbook.model import Canary
from leadflow.types import MINUTE, Outcome, micros
from tests.build import NIGHT
from tests.pipeline.mails import deliver
from tests.pipeline.pacing import Noting, add_crowd, paced
from tests.pipeline.test_pace import states

BOOK = paced(canary=Canary(first=10, share=20, wait=30 * MINUTE))
HEARD = NIGHT + timedelta(minutes=30)


def crowd(engine: Engine, n: int, **columns: Any) -> None:
    with Session(engine) as session, session.begin():
        add_crowd(session, n, **columns)


def run(engine: Engine, now: Any = NIGHT, **changes: Any) -> tuple[Outcome, Halt | None]:
    pace = Pace(BOOK, now, provider="noting")
    outcome = deliver(engine, Noting(), playbook=BOOK, now=now, gate=pace, **changes)
    return outcome, pace.halted


def spoil(engine: Engine, n: int, **columns: Any) -> None:
    """So many of those that left met with that."""
    with Session(engine) as session, session.begin():
        some = select(message.c.id).where(message.c.state == "accepted").order_by(message.c.id).limit(n)
        session.execute(update(message).where(message.c.id.in_(some)).values(**columns))


def test_the_first_leave_alone_and_the_others_half_an_hour_later(engine: Engine) -> None:
    crowd(engine, 100)
    first, halted = run(engine, batch=7)
    # Twenty percent are more than ten.
    assert (first.changed, first.counts["waiting"], halted) == (20, 80, Halt.CANARY)
    meanwhile, halted = run(engine, NIGHT + timedelta(minutes=29))
    assert (meanwhile.changed, halted) == (0, Halt.CANARY)
    rest, halted = run(engine, HEARD)
    assert (rest.changed, rest.counts["waiting"], halted) == (80, 0, None)


def test_a_small_night_has_nobody_left_to_wait(engine: Engine) -> None:
    crowd(engine, 10)
    outcome, halted = run(engine)
    assert (outcome.changed, halted) == (10, None)


def test_another_night_is_another_matter(engine: Engine) -> None:
    crowd(engine, 40)
    crowd(engine, 5, first=41, planned_at=NIGHT - timedelta(days=1))
    outcome, _halted = run(engine)
    assert outcome.changed == 10 + 5


def test_several_workers_and_several_lives_send_the_first_once(engine: Engine) -> None:
    crowd(engine, 100)
    with Session(engine) as one, one.begin():
        # A worker that died with some of the first in its hands.
        some = select(message.c.id).order_by(message.c.id).limit(8)
        lost = {"state": "claimed", "owner": "dead", "lease_until": micros(NIGHT) * 2}
        one.execute(update(message).where(message.c.id.in_(some)).values(**lost))
    assert [run(engine, batch=5)[0].changed for _worker in range(3)] == [12, 0, 0]
    with Session(engine) as session, session.begin():
        session.execute(update(message).where(message.c.owner == "dead").values(lease_until=0))
    # What it had in hand comes back, and is among the first again: nobody was listened to too early.
    assert (run(engine, HEARD)[0].changed, states(engine)) == (8, {"accepted": 20, "planned": 80})
    assert run(engine, HEARD + timedelta(minutes=30))[0].changed == 80


def test_bounces_of_the_first_keep_the_others_for_a_person(engine: Engine) -> None:
    crowd(engine, 100)
    run(engine)
    spoil(engine, 1, delivery="bounced", delivery_rank=4)
    outcome, halted = run(engine, HEARD)
    assert (outcome.changed, halted) == (0, Halt.CANARY)
    with Session(engine) as session:
        held = session.execute(select(hold.c.at, hold.c.rule, hold.c.mails, hold.c.answer)).one()
        assert held == (NIGHT, "canary", 100, None)
        assert session.scalar(select(canary.c.verdict)) == "failed"
    later = HEARD + timedelta(hours=5)
    assert run(engine, later)[0].counts["waiting"] == 0
    with Session(engine) as session, session.begin():
        session.execute(update(hold).values(answer="approved", answered_at=later, answered_by="ana"))
        release_night(session, BOOK, NIGHT, later)
    assert run(engine, later + timedelta(hours=12))[0].changed == 80


def test_one_complaint_of_the_first_is_enough(engine: Engine) -> None:
    crowd(engine, 100)
    run(engine)
    spoil(engine, 1, delivery="complained", delivery_rank=6)
    assert run(engine, HEARD)[0].changed == 0


def test_refusals_for_the_senders_sake_count_and_full_mailboxes_do_not(engine: Engine) -> None:
    crowd(engine, 100)
    run(engine)
    news = {"id": 1, "month": 202603, "kind": "email_blocked", "occurred_at": NIGHT, "received_at": NIGHT}
    with Session(engine) as session, session.begin():
        about = session.scalars(select(message.c.id).where(message.c.state == "accepted").limit(1)).one()
        session.execute(event.insert(), news | {"message_id": about, "properties": {"classification": "Reputation"}})
    with Session(engine) as session, session.begin():
        pace = Pace(BOOK, HEARD, provider="noting")
        assert pace.room(session, 50).n == 50
        assert session.scalar(select(canary.c.verdict)) == "failed"
        session.rollback()
    with Session(engine) as session, session.begin():
        session.execute(delete(event))
        session.execute(event.insert(), news | {"message_id": about, "properties": {"hardness": "soft"}})
    assert run(engine, HEARD)[0].changed == 80

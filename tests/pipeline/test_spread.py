"""Queues are spread over the hours: no hour gets more than its share, whichever way a thousand mails came together."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from leadflow.esp.memory import MemoryProvider
from leadflow.models import enrolment, identity, lead, lead_score, lead_state, message
from leadflow.playbook.model import Playbook, Window
from leadflow.types import HOUR, micros
from leadflow.windows import ensure_calendars
from tests.build import NIGHT
from tests.pipeline.mails import deliver, mail_playbook
from tests.pipeline.nurture_world import OPTED_IN, STEPS, WAIT, WELCOME, World, book, sequence

PARIS = ZoneInfo("Europe/Paris")
#: As shipped: three hours from nine on, at most a fifth in an hour.
WINDOW = Window(days=(0, 1, 2, 3, 4), start=9 * 60, end=17 * 60, spread=3 * HOUR, max_share_per_hour=20)
FRIDAY, MONDAY = datetime(2026, 3, 20, 17, tzinfo=PARIS), datetime(2026, 3, 23, 9, tzinfo=PARIS)


def people(session: Session, n: int) -> None:
    """Many at once: one insert a table."""
    at, numbers = NIGHT - timedelta(days=90), range(1, n + 1)
    addresses = [{"id": i, "kind": "email", "value": f"p{i}@x.example", "hash": f"h{i}"} for i in numbers]
    dates = {"first_seen_at": at, "created_at": at, "updated_at": at, "provenance": {}, "attributes": {}, "folded": {}}
    leads = [{"id": i, "address_id": i, "seed": i * 48271 % (2**31 - 1)} | dates | OPTED_IN for i in numbers]
    session.execute(insert(lead), leads)
    session.execute(insert(identity), [address | {"lead_id": address["id"]} for address in addresses])
    session.execute(insert(lead_score), [{"lead_id": i} for i in numbers])
    session.execute(insert(lead_state), [{"lead_id": i, "stage_since": at, "lifecycle_since": at} for i in numbers])


def hours(session: Session) -> Counter[tuple[int, int]]:
    """How many leave by (weekday, hour) in Paris, of what is planned or has left."""
    left = select(message.c.sent_at).where(message.c.state == "accepted")
    planned = select(message.c.send_at).where(message.c.state == "planned")
    local = [at.astimezone(PARIS) for at in [*session.scalars(left), *session.scalars(planned)] if at]
    return Counter((at.weekday(), at.hour) for at in local)


def shares(found: Counter[tuple[int, int]]) -> tuple[int, float]:
    """How many there are, and the largest hour's share of them."""
    return sum(found.values()), max(found.values()) / sum(found.values())


def test_a_thousand_waits_that_end_over_a_weekend_leave_in_even_hours(session: Session) -> None:
    world = World(session, book(sequence(steps=(WAIT, WELCOME)), window=WINDOW), FRIDAY - timedelta(days=3))
    people(session, 1000)
    world.sweep()
    # Due at any minute between Friday's closing and Monday's sweep.
    minutes = int((MONDAY - FRIDAY).total_seconds() // 60) - 5 * 60
    due = micros(FRIDAY) + enrolment.c.lead_id * (minutes * 60_000_000 // 1001)
    session.execute(update(enrolment).values(due_at=due))
    for day in range(1, 4):
        world.now = FRIDAY + timedelta(days=day) - timedelta(hours=12, minutes=45)
        world.sweep()
    n, share = shares(hours(session))
    assert n == 1000
    assert share <= 0.2
    assert {weekday for weekday, _hour in hours(session)} == {0}
    before = list(session.execute(select(message).order_by(message.c.id)))
    world.sweep()
    assert before == list(session.execute(select(message).order_by(message.c.id)))


def overdue(session: Session, playbook: Playbook, n: int) -> None:
    """Planned for Friday evening and the weekend, when the machine was off."""
    ensure_calendars(session, playbook, MONDAY)
    people(session, n)
    shared: dict[str, Any] = {
        "sequence": "s",
        "email": "hello",
        "language": "en",
        "purpose": "nurture",
        "basis": "consent",
    }
    shared |= {"version": "", "playbook": "0" * 64, "planned_at": FRIDAY - timedelta(days=1), "chosen": {}}
    shared |= {"expires_at": MONDAY + timedelta(days=5)}
    rows = [
        {"lead_id": i, "address_id": i, "step": f"s{i}", "send_at": FRIDAY + timedelta(minutes=i * 7 % 3000)} | shared
        for i in range(1, n + 1)
    ]
    session.execute(insert(message), rows)


@pytest.mark.parametrize("wakes", [FRIDAY + timedelta(minutes=5), MONDAY, MONDAY + timedelta(hours=1, minutes=30)])
def test_a_backlog_leaves_in_even_hours_whenever_the_machine_wakes(engine: Engine, wakes: datetime) -> None:
    playbook = mail_playbook(window=WINDOW)
    with Session(engine) as session, session.begin():
        overdue(session, playbook, 400)
    deliver(engine, MemoryProvider(), playbook=playbook, now=wakes)
    if wakes < MONDAY:
        for hour in (1, 31, 62):
            deliver(engine, MemoryProvider(), playbook=playbook, now=wakes + timedelta(hours=hour))
    with Session(engine) as session:
        n, share = shares(hours(session))
        assert n == 400
        assert share <= 0.2
        before = list(session.execute(select(message).order_by(message.c.id)))
    deliver(engine, MemoryProvider(), playbook=playbook, now=max(wakes, MONDAY - timedelta(hours=1)))
    with Session(engine) as session:
        assert before == list(session.execute(select(message).order_by(message.c.id)))


def test_a_few_that_are_late_leave_at_once(engine: Engine) -> None:
    playbook = mail_playbook(window=WINDOW)
    with Session(engine) as session, session.begin():
        overdue(session, playbook, 25)
    provider = MemoryProvider()
    deliver(engine, provider, playbook=playbook, now=MONDAY + timedelta(minutes=5))
    assert len(provider.sent) == 25


@pytest.mark.parametrize(("people_there", "last"), [(1, 12), (75, 12), (100, 13), (200, 14)])
def test_small_queues_keep_to_the_spread_and_large_ones_take_longer(
    session: Session, people_there: int, last: int
) -> None:
    world = World(session, book(sequence(steps=STEPS), window=WINDOW), datetime(2026, 3, 23, 4, 15, tzinfo=PARIS))
    people(session, people_there)
    world.sweep()
    found = hours(session)
    assert (sum(found.values()), max(hour for _day, hour in found) <= last) == (people_there, True)
    assert min(hour for _day, hour in found) >= 9


def test_what_is_planned_in_open_hours_does_not_leave_in_a_burst(session: Session) -> None:
    afternoon = datetime(2026, 3, 23, 15, 30, tzinfo=PARIS)
    world = World(session, book(sequence(steps=STEPS), window=WINDOW), afternoon)
    people(session, 500)
    world.sweep()
    found = hours(session)
    assert max(found.values()) <= 100
    assert {hour for _day, hour in found} <= {*range(9, 17)}
    assert {day for day, _hour in found} == {0, 1}
    assert session.scalars(select(message.c.send_at).order_by(message.c.send_at)).first() >= afternoon  # type: ignore[operator]


def test_a_single_mail_in_open_hours_leaves_at_once(session: Session) -> None:
    world = World(session, book(sequence(steps=STEPS), window=WINDOW), datetime(2026, 3, 23, 15, 30, tzinfo=PARIS))
    people(session, 1)
    world.sweep()
    assert session.scalars(select(message.c.send_at)).all() == [world.now]

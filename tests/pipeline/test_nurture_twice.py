"""Nurture at the same instant twice changes nothing, and executes as many statements for two thousand as for ten."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from leadflow.eligibility import tonight
from leadflow.models import (
    identity,
    lead,
    lead_score,
    lead_state,
    membership,
    message,
    metadata,
    suppression,
)
from leadflow.pipeline.nurture import nurture_leads
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE, Leads, Reason
from tests.build import NIGHT
from tests.counting import counting
from tests.soak import SOAK

WORKSPACE = Path(__file__).parents[2]
BANDS = [fit + engagement for fit in "ABCD" for engagement in "1234"]


@pytest.fixture(scope="module")
def example() -> Playbook:
    """The playbook that ships."""
    return load_playbook(WORKSPACE)


def populate(session: Session, playbook: Playbook, n: int, seed: int = 7) -> None:
    """`n` people of all kinds, in four statements."""
    dice = random.Random(seed)
    at = NIGHT - timedelta(days=30)
    ids = range(1, n + 1)
    session.execute(
        insert(lead),
        [
            {
                "id": i,
                "seed": i * 48271 % (2**31 - 1),
                "address_id": i,
                "language": dice.choice(["fr", "fr", "en", "de", None]),
                "country": dice.choice(["FR", "FR", "BE", "IE", None]),
                "zone": None,
                "basis": dice.choice(["legitimate_interest"] * 9 + ["none"]),
                "source": "fair",
                "informed_on": "2026-02-01",
                "attributes": {"cms": "shopify"} if dice.random() < 0.5 else {},
                "folded": {},
                "provenance": {},
                "first_seen_at": at,
                "created_at": at,
                "updated_at": at,
            }
            for i in ids
        ],
    )
    session.execute(
        insert(identity),
        [{"id": i, "kind": "email", "value": f"p{i}@x.example", "hash": f"h{i}", "lead_id": i} for i in ids],
    )
    session.execute(insert(lead_score), [{"lead_id": i, "band": dice.choice(BANDS)} for i in ids])
    stages = ["discovery"] * 3 + ["evaluation"] * 2 + ["decision"]
    lifecycles = ["lead"] * 8 + ["prospect", "customer"]
    session.execute(
        insert(lead_state),
        [
            {
                "lead_id": i,
                "stage": dice.choice(stages),
                "stage_since": at,
                "lifecycle": dice.choice(lifecycles),
                "lifecycle_since": at,
                "segment_main": dice.choice([None, *playbook.segments]),
                "with_sales": dice.random() < 0.05,
            }
            for i in ids
        ],
    )
    rows = session.execute(select(lead_state.c.lead_id, lead_state.c.segment_main)).all()
    session.execute(
        insert(membership),
        [{"segment": r.segment_main, "lead_id": r.lead_id, "joined_at": at} for r in rows if r.segment_main],
    )
    session.execute(
        insert(suppression),
        [
            {"address_hash": f"h{i}", "reason": reason, "at": at, "source": "test"}
            for i, reason in zip(range(1, n, 13), ["unsubscribed", "bounced", "complained"] * n, strict=False)
        ],
    )


def shake(session: Session, now: Any, dice: random.Random) -> None:
    """A day in between: mails leave or do not, people move."""
    due = (message.c.state == "planned", message.c.send_at <= now)
    for state, part in (("accepted", 0), ("failed", 11), ("unknown", 12)):
        here = due if part == 0 else (*due, message.c.id % 13 == part)
        session.execute(update(message).where(*here).values(state=state, sent_at=message.c.send_at))
    some = [i for i in session.scalars(select(lead.c.id)) if dice.random() < 0.15]
    for i in some:
        change: dict[str, Any] = dice.choice(
            [
                {"stage": "evaluation"},
                {"stage": "discovery"},
                {"stage": "decision"},
                {"with_sales": True},
                {"with_sales": False},
                {"lifecycle": "customer"},
            ]
        )
        session.execute(update(lead_state).where(lead_state.c.lead_id == i).values(change))


def snapshot(session: Session) -> dict[str, list[Any]]:
    """Every row of every table."""
    return {
        table.name: list(session.execute(select(table).order_by(*table.primary_key)))
        for table in metadata.sorted_tables
    }


def test_a_second_run_at_the_same_instant_changes_no_row(session: Session, example: Playbook) -> None:
    slowly = tuple(replace(s, existing_per_day=s.existing_per_day and 25) for s in example.sequences)
    example = replace(example, sequences=slowly)
    populate(session, example, 160)
    dice, now, reasons = random.Random(3), NIGHT, set[Reason]()
    for night in range(16 if SOAK else 10):
        now += timedelta(days=1)
        shake(session, now, dice)
        first = nurture_leads(session, example, now, EVERYONE)
        before = snapshot(session)
        second = nurture_leads(session, example, now, EVERYONE)
        after = snapshot(session)
        assert [name for name in before if before[name] != after[name]] == [], night
        assert first == second
        counted = tonight(session, example, now)
        assert (counted.people, counted.mailed) == (160, first.counts["planned"])
        reasons |= counted.skipped.keys()
    states = {row.state for row in before["enrolment"]}
    assert states == {"active", "paused", "ended"}
    assert {Reason.NOT_DUE, Reason.RAMP, Reason.WINDOW, Reason.CUSTOMER, Reason.NO_BASIS} <= reasons
    stranded = [row for row in before["enrolment"] if row.state == "active" and (not row.step or row.due_at is None)]
    assert stranded == []


def test_the_statements_are_as_many_for_two_thousand_as_for_ten_and_for_both_scopes(
    engine: Engine, example: Playbook
) -> None:
    counts = []
    for n, scope in ((10, EVERYONE), (2000, EVERYONE), (10, Leads((1, 2)))):
        with Session(engine) as session:
            populate(session, example, n)
            now, nights = NIGHT, []
            for _ in range(3):
                now += timedelta(days=1)
                shake(session, now, random.Random(n))
                with counting(engine) as statements:
                    nurture_leads(session, example, now, scope)
                nights.append(len(statements))
            # Those of the second are no others than those of the first and the third.
            counts.append((nights[0], nights[2]))
            session.rollback()
    # The calendars of ten people may be fewer than those of two thousand; how many are written is one statement.
    assert len(set(counts)) == 1, counts

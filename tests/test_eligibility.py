"""Who may be mailed, in the order in which people are told; everybody is counted once a night."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, literal, select
from sqlalchemy.orm import Session

from leadflow.conditions.sources import live_sources
from leadflow.conditions.tree import FieldLeaf
from leadflow.eligibility import Tonight, first_reason, planning_blocks, reason_tonight, row_blocks, tonight
from leadflow.models import consent, identity, suppression
from leadflow.playbook.model import NeverRule, Playbook
from leadflow.types import Purpose, Reason, Suppressed
from tests.build import NIGHT, add_lead, playbook
from tests.pipeline.nurture_world import OPTED_IN, STEPS, World, book, sequence

IRISH = FieldLeaf(field="country", operator="in", value=("IE",))
COLLEAGUES = NeverRule(name="irish", when=IRISH)
ALL_BUT_SERVICE = NeverRule(name="irish", when=IRISH, unless_purpose=("service",))
TOLD = {"basis": "legitimate_interest", "source": "fair", "informed_on": "2026-02-13"}


def _reason(
    session: Session, *never: NeverRule, purpose: Purpose = Purpose.NURTURE, planning: bool = True
) -> str | None:
    made = playbook(never=never)
    sources = live_sources(made.vocabulary)
    blocks = planning_blocks(made, sources, NIGHT, purpose) if planning else row_blocks(NIGHT, purpose)
    known = sources.from_.outerjoin(suppression, suppression.c.address_hash == identity.c.hash)
    found: str | None = session.scalar(select(first_reason(blocks)).select_from(known))
    return found


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, None),
        (TOLD, None),
        ({"address_id": None}, "no_address"),
        ({"no_mail": True}, "no_mail_flag"),
        ({"basis": None}, "no_basis"),
        ({"basis": "because"}, "no_basis"),
        (TOLD | {"source": ""}, "no_basis"),
        (TOLD | {"informed_on": None}, "no_basis"),
        (TOLD | {"informed_on": "2026-03-24"}, "no_basis"),
        (TOLD | {"audience": "b2c"}, "no_basis"),
        ({"audience": "b2c", "basis": "consent"}, None),
        ({"deal_state": "open"}, "open_deal"),
        ({"state": {"lifecycle": "customer"}}, "customer"),
        ({"state": {"lifecycle": "disqualified"}}, "disqualified"),
        ({"state": {"with_sales": True}}, "with_sales"),
    ],
)
def test_what_a_row_says_stops_a_mail(session: Session, columns: dict[str, Any], expected: str | None) -> None:
    add_lead(session, 1, **OPTED_IN | columns)
    assert _reason(session) == expected
    assert _reason(session, planning=False) == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"deal_state": "open"}, None),
        ({"state": {"lifecycle": "customer"}}, None),
        ({"state": {"with_sales": True}}, None),
        ({"state": {"lifecycle": "disqualified"}}, "disqualified"),
        ({"basis": None}, "no_basis"),
    ],
)
def test_service_mail_goes_on_for_customers_and_those_with_sales(
    session: Session, columns: dict[str, Any], expected: str | None
) -> None:
    add_lead(session, 1, **OPTED_IN | columns)
    assert _reason(session, purpose=Purpose.SERVICE) == expected


@pytest.mark.parametrize("word", list(Suppressed))
def test_a_suppression_stops_every_purpose(session: Session, word: Suppressed) -> None:
    add_lead(session, 1, **OPTED_IN)
    row = {"address_hash": "h1", "reason": word, "at": NIGHT, "source": "test"}
    session.execute(insert(suppression), row)
    expected = "invalid_address" if word is Suppressed.INVALID else str(word)
    assert [_reason(session, purpose=purpose) for purpose in (Purpose.NURTURE, Purpose.SERVICE)] == [expected] * 2


@pytest.mark.parametrize(
    ("states", "expected"),
    [(["given"], None), (["given", "withdrawn"], "unsubscribed"), (["withdrawn", "given"], None)],
)
def test_the_last_line_of_the_ledger_counts(session: Session, states: list[str], expected: str | None) -> None:
    add_lead(session, 1, **OPTED_IN)
    for day, state in enumerate(states):
        row = {"lead_id": 1, "purpose": "nurture", "state": state, "at": NIGHT + timedelta(days=day), "method": "form"}
        session.execute(insert(consent), row)
    assert _reason(session) == expected
    assert _reason(session, purpose=Purpose.NEWSLETTER) is None


def test_a_never_rule_stops_all_purposes_but_those_it_leaves_out(session: Session) -> None:
    add_lead(session, 1, **OPTED_IN | {"country": "IE"})
    assert _reason(session, COLLEAGUES) == "never_list"
    assert _reason(session, COLLEAGUES, purpose=Purpose.SERVICE) == "never_list"
    assert _reason(session, ALL_BUT_SERVICE, purpose=Purpose.SERVICE) is None


def test_no_blocks_at_all_give_no_reason(session: Session) -> None:
    assert session.scalar(select(first_reason([], literal("fine")))) == "fine"


def _example() -> Playbook:
    return book(sequence(steps=STEPS, existing_per_day=2), never=(COLLEAGUES,))


def test_everybody_is_counted_once(session: Session) -> None:
    world = World(session, _example())
    for lead_id in range(1, 5):
        world.lead(lead_id, seed=lead_id)
    world.lead(5, country="IE", seed=90)
    world.lead(6, state={"lifecycle": "customer"})
    world.lead(7, state={"stage": "evaluation"})
    world.lead(8, basis=None, seed=91)
    outcome = world.sweep()
    skipped = {
        Reason.RAMP: 2,
        Reason.NEVER_LIST: 1,
        Reason.CUSTOMER: 1,
        Reason.NO_SEQUENCE: 1,
        Reason.NO_BASIS: 1,
    }
    assert tonight(session, world.playbook, world.now) == Tonight(people=8, mailed=2, skipped=skipped)
    assert outcome.counts["planned"] == 2


def test_one_person_is_told_the_same_reason_as_the_count(session: Session) -> None:
    world = World(session, book())
    world.lead()
    world.sweep()
    told = [reason_tonight(session, world.playbook, world.now, 1)]
    for _ in range(5):
        world.night()
        told.append(reason_tonight(session, world.playbook, world.now, 1))
    assert told == [None, Reason.NOT_DUE, Reason.NOT_DUE, None, Reason.FINISHED, Reason.FINISHED]


def test_somebody_unknown_has_no_reason(session: Session) -> None:
    assert reason_tonight(session, book(), NIGHT, 404) is None

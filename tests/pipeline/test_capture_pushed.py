"""What programs push in is taken in like everything else; a visitor is one person's, whoever passes a mail on."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from leadflow.links import sign_arrival
from leadflow.models import consent, deal, dirty, event, identity, intake, lead, lead_change, lead_state
from leadflow.pipeline.capture import capture_intake
from leadflow.types import EVERYONE, Outcome
from tests.build import NIGHT, playbook

BOOK = playbook()
HOUR = timedelta(hours=1)
GOOGLE = {"referrer": "https://www.google.fr/"}
ADS = {"utm_source": "LinkedIn", "utm_medium": "cpc", "utm_campaign": "Spring"}


def come_in(session: Session, *told: dict[str, Any], kind: str = "event", at: datetime = NIGHT - HOUR) -> None:
    rows = [{"kind": kind, "received_at": at, "body": json.dumps(one).encode()} for one in told]
    session.execute(insert(intake), rows)


def capture(session: Session, now: datetime = NIGHT) -> Outcome:
    return capture_intake(session, BOOK, now, EVERYONE, key="secret")


def view(visitor: str, path: str = "/", **more: Any) -> dict[str, Any]:
    return {"event": "page_viewed", "visitor": visitor, "path": path, "id": f"{visitor}{path}", **more}


def form(email: str, visitor: str, **more: Any) -> dict[str, Any]:
    return {"event": "form_submitted", "email": email, "visitor": visitor, **more}


def who(session: Session, value: str) -> Any:
    return session.scalar(select(identity.c.lead_id).where(identity.c.value == value))


def paths_of(session: Session, lead_id: Any) -> Sequence[str]:
    mine = select(event.c.path).where(event.c.lead_id == lead_id, event.c.path.is_not(None)).order_by(event.c.path)
    return [str(path) for path in session.scalars(mine)]


def sources(session: Session, email: str) -> dict[str, Any]:
    found = session.scalar(select(lead.c.attributes).where(lead.c.id == who(session, email))) or {}
    return {name: value for name, value in found.items() if name.startswith(("first_", "last_"))}


def test_a_person_pushed_in_makes_no_act_and_keeps_who_told(session: Session) -> None:
    person = {"email": "Ana@b.example", "first_name": "Ana", "fields": {"employees": 62}, "consent": ["newsletter"]}
    come_in(session, person, {"external_id": "crm-7", "employees": 5}, kind="lead")
    done = capture(session)
    assert (done.counts["new"], done.counts["events"], done.counts["rejected"]) == (2, 0, 0)
    row = session.execute(select(lead).where(lead.c.id == who(session, "ana@b.example"))).one()
    assert (row.first_name, row.attributes, row.basis) == ("Ana", {"employees": 62}, None)
    assert row.provenance["employees"]["source"] == "api"
    assert session.execute(select(consent.c.purpose, consent.c.method)).one() == ("newsletter", "api")


def test_a_deal_pushed_in_with_its_person_makes_a_customer_once(session: Session) -> None:
    won = {"email": "ana@b.example", "deal_id": "d1", "state": "won", "amount": 4200.5}
    come_in(
        session, {**won, "state": "open"}, won, won, {**won, "email": "nobody@b.example", "deal_id": "d2"}, kind="deal"
    )
    come_in(session, {"email": "ana@b.example"}, kind="lead")
    assert capture(session).counts["rejected"] == 1
    assert session.execute(select(deal.c.state, deal.c.amount)).one() == ("won", 420_050)
    assert session.scalar(select(lead_state.c.lifecycle)) == "customer"
    assert session.scalars(select(event.c.kind)).all() == ["deal_won"]
    assert "nobody with this address" in str(session.scalar(select(intake.c.error).where(intake.c.error.is_not(None))))


def test_a_click_ties_a_visitor_nobody_owns_with_all_it_did(session: Session) -> None:
    come_in(session, view("v1", "/before"), kind="event", at=NIGHT - 3 * HOUR)
    come_in(session, {"email": "ana@b.example"}, kind="lead")
    capture(session)
    word = sign_arrival("secret", session.scalar(select(identity.c.id).where(identity.c.kind == "email")) or 0, NIGHT)
    come_in(session, view("v1", "/tarifs", click=word), at=NIGHT + HOUR / 4)
    come_in(session, view("v2", "/late", click=word), view("v3", "/forged", click="1.2.abc"), at=NIGHT + 2 * HOUR)
    capture(session, NIGHT + 3 * HOUR)
    assert paths_of(session, who(session, "ana@b.example")) == ["/before", "/tarifs"]
    assert (who(session, "v2"), who(session, "v3")) == (None, None)


@pytest.mark.parametrize("nights", [1, 2, 3])
def test_a_mail_passed_on_never_merges_two_people(session: Session, nights: int) -> None:
    """Bob reads Ana's mail, then says who he is: whatever the nights between, each has what they did themselves."""
    come_in(session, {"email": "ana@b.example"}, kind="lead", at=NIGHT - 9 * HOUR)
    capture(session, NIGHT - 8 * HOUR)
    ana = session.scalar(select(identity.c.id)) or 0
    told = [
        form("ana@b.example", "ana-phone"),
        view("bob", "/tarifs", click=sign_arrival("secret", ana, NIGHT)),
        form("bob@b.example", "bob", source_of=ADS),
    ]
    for place, act in enumerate(told):
        come_in(session, act, at=NIGHT + place * timedelta(minutes=1))
        if place >= len(told) - nights:
            capture(session, NIGHT + place * timedelta(minutes=1) + timedelta(seconds=1))
    come_in(session, view("bob", "/contact"), view("ana-phone", "/blog"), at=NIGHT + HOUR)
    capture(session, NIGHT + 2 * HOUR)
    assert session.scalar(select(func.count()).select_from(lead)) == 2
    assert paths_of(session, who(session, "bob@b.example")) == ["/contact", "/tarifs"]
    assert paths_of(session, who(session, "ana@b.example")) == ["/blog"]
    assert (sources(session, "ana@b.example"), sources(session, "bob@b.example")["first_source"]) == ({}, "linkedin")
    assert session.scalar(select(func.count()).select_from(identity).where(identity.c.by_click)) == 0


def test_whoever_loses_a_visitor_is_counted_anew(session: Session) -> None:
    come_in(session, {"email": "ana@b.example"}, kind="lead", at=NIGHT - 9 * HOUR)
    capture(session, NIGHT - 8 * HOUR)
    word = sign_arrival("secret", session.scalar(select(identity.c.id)) or 0, NIGHT)
    come_in(session, view("bob", click=word), at=NIGHT)
    capture(session, NIGHT + HOUR)
    assert session.scalars(select(dirty.c.lead_id)).all() == []
    come_in(session, form("bob@b.example", "bob"), at=NIGHT + HOUR)
    capture(session, NIGHT + 2 * HOUR)
    both = {who(session, "ana@b.example"), who(session, "bob@b.example")}
    assert set(session.scalars(select(dirty.c.lead_id))) == both


def test_a_second_address_on_one_visitor_is_a_second_person(session: Session) -> None:
    come_in(
        session, form("ana@b.example", "desk"), view("desk", "/a"), form("bob@b.example", "desk"), view("desk", "/b")
    )
    capture(session)
    come_in(session, form("cid@b.example", "desk", external_id="crm-9"), view("desk", "/c"), at=NIGHT)
    capture(session, NIGHT + HOUR)
    assert session.scalar(select(func.count()).select_from(lead)) == 3
    assert who(session, "desk") == who(session, "ana@b.example")
    assert paths_of(session, who(session, "ana@b.example")) == ["/a", "/b", "/c"]


def test_first_and_last_source_come_along_whatever_the_order_they_are_told_in(session: Session) -> None:
    early, middle, late = ((NIGHT - n * HOUR).isoformat() for n in (30, 20, 10))
    come_in(session, form("ana@b.example", "v1", at=middle, source_of=ADS))
    come_in(session, view("v1", "/x", at=late, source_of={}), view("v1", "/y", at=early, source_of=GOOGLE))
    capture(session)
    first = {"first_source": "google", "first_medium": "organic", "first_referrer": "www.google.fr"}
    last = {"last_source": "linkedin", "last_medium": "cpc", "last_campaign": "spring"}
    assert sources(session, "ana@b.example") == first | last
    told = session.execute(select(lead_change.c.field, lead_change.c.source)).all()
    assert {(name, "visit") for name in (*first, *last)} == set(told)


def test_a_second_run_at_the_same_instant_changes_nothing(session: Session) -> None:
    come_in(session, form("ana@b.example", "v1", source_of=ADS), view("v1", "/x", source_of=GOOGLE))
    capture(session)
    before = session.execute(select(lead)).all()
    assert capture(session).changed == 0
    assert before == session.execute(select(lead)).all()

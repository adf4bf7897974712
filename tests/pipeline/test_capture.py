"""Capture turns what came in into people, answers, consents and events, each once; a bad row stops nothing."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from leadflow.models import consent, event, event_inbox, identity, intake, lead, lead_score, lead_state, metadata
from leadflow.pipeline.capture import capture_intake
from leadflow.types import EVERYONE, Leads, Outcome
from tests.build import NIGHT, playbook
from tests.counting import counting

BOOK = playbook()
HOUR = timedelta(hours=1)


def come_in(session: Session, *told: Any, kind: str = "event", at: Any = NIGHT - HOUR) -> None:
    bodies = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in told]
    session.execute(insert(intake), [{"kind": kind, "received_at": at, "body": body} for body in bodies])


def capture(session: Session, now: Any = NIGHT, scope: Any = EVERYONE) -> Outcome:
    return capture_intake(session, BOOK, now, scope, key="secret")


def count(session: Session, table: Any) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


FORM = {
    "form": "project",
    "email": "Ana@b.example",
    "visitor": "v1",
    "at": "2026-03-22T17:12:00Z",
    "fields": {"first_name": "Ana", "project": "redesign", "country": "FR"},
    "consent": ["nurture", "newsletter"],
    "wording_version": "7",
    "ip": "203.0.113.77",
}


def test_a_form_makes_a_person_with_answers_consent_and_an_act(session: Session) -> None:
    come_in(session, FORM, kind="form")
    done = capture(session)
    assert (done.read, done.counts["new"], done.counts["events"]) == (1, 1, 1)
    row = session.execute(select(lead)).one()
    assert (row.first_name, row.attributes, row.basis, row.source) == (
        "Ana",
        {"project": "redesign"},
        "consent",
        "project",
    )
    assert row.provenance == {"project": {"source": "form", "on": "2026-03-23"}}
    agreed = session.execute(select(consent).order_by(consent.c.id)).all()
    assert [(one.purpose, one.method, one.wording_version, one.ip) for one in agreed] == [
        ("nurture", "form", "7", "203.0.113.0"),
        ("newsletter", "form", "7", "203.0.113.0"),
    ]
    assert session.execute(select(event.c.kind, event.c.properties)).one() == ("form_submitted", {"form": "project"})


def test_what_came_in_at_the_instant_itself_waits(session: Session) -> None:
    come_in(session, {"event": "page_viewed", "email": "a@b.example"}, at=NIGHT)
    assert capture(session).read == 0
    assert capture(session, NIGHT + HOUR).read == 1


def test_a_bad_row_keeps_its_reason_and_stops_nothing(session: Session) -> None:
    good = {"event": "page_viewed", "email": "a@b.example", "path": "/x"}
    come_in(session, good, b"{", {"event": "page_veiwed", "email": "a@b.example"}, {**good, "email": "a@\nb.example"})
    done = capture(session)
    assert (done.counts["events"], done.counts["rejected"], count(session, lead)) == (1, 3, 1)
    errors = list(session.scalars(select(intake.c.error).order_by(intake.c.id)))
    assert errors == [
        None,
        "column 2: this is no JSON",
        'event "page_veiwed" is not known. Did you mean page_viewed?',
        "email: the address has a line break in it",
    ]


def test_what_no_index_could_hold_stops_nothing(session: Session) -> None:
    noise = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(9_000))
    act = {"event": "page_viewed", "email": "a@b.example"}
    come_in(session, {**act, "id": noise}, {**act, "path": noise}, {**act, "visitor": noise})
    come_in(session, {**act, "email": "c@gmail.com", "fields": {"company": noise[:900]}})
    done = capture(session)
    assert (done.counts["events"], done.counts["rejected"]) == (2, 2)


def test_the_same_act_told_twice_counts_once(session: Session) -> None:
    told = {"event": "page_viewed", "email": "a@b.example", "id": "x"}
    come_in(session, told, told)
    capture(session)
    come_in(session, told, at=NIGHT)
    capture(session, NIGHT + HOUR)
    assert (count(session, event), count(session, event_inbox)) == (1, 1)


def test_an_act_keeps_when_it_happened_and_when_it_came(session: Session) -> None:
    come_in(session, {"event": "page_viewed", "email": "a@b.example", "at": "2026-01-05T10:00:00Z"})
    capture(session)
    row = session.execute(select(event)).one()
    assert (row.occurred_at.isoformat(), row.received_at) == ("2026-01-05T10:00:00+00:00", NIGHT - HOUR)


def test_a_visitor_waits_for_a_name_and_brings_the_acts_along(session: Session) -> None:
    come_in(session, {"event": "page_viewed", "visitor": "v1", "path": "/tarifs"})
    capture(session)
    assert (count(session, lead), session.scalar(select(event.c.lead_id))) == (0, None)
    come_in(session, FORM, kind="form", at=NIGHT)
    capture(session, NIGHT + HOUR)
    assert set(session.scalars(select(event.c.lead_id))) == {session.scalar(select(lead.c.id))}
    assert count(session, event_inbox) == 2


def test_answers_of_a_known_visitor_are_those_of_the_person(session: Session) -> None:
    come_in(session, FORM, kind="form")
    capture(session)
    come_in(session, {"event": "form_submitted", "visitor": "v1", "project": "seo"}, at=NIGHT)
    capture(session, NIGHT + HOUR)
    row = session.execute(select(lead)).one()
    assert (row.attributes, row.provenance["project"]["source"]) == ({"project": "seo"}, "form")


def test_an_id_nobody_has_is_an_error_and_makes_nobody(session: Session) -> None:
    come_in(session, {"event": "page_viewed", "external_id": "crm-7"})
    assert capture(session).counts["rejected"] == 1
    assert count(session, lead) + count(session, identity) == 0


def test_a_lead_that_came_another_way_gets_a_score_and_a_state(session: Session) -> None:
    dates = {"first_seen_at": NIGHT, "created_at": NIGHT, "updated_at": NIGHT}
    session.execute(insert(lead), [{"id": 7, "seed": 1, **dates, "attributes": {}, "folded": {}, "provenance": {}}])
    capture(session)
    assert (count(session, lead_score), session.scalar(select(lead_state.c.stage))) == (1, "discovery")


def test_a_second_run_at_the_same_instant_changes_nothing(session: Session) -> None:
    come_in(session, FORM, kind="form")
    come_in(session, {"event": "page_viewed", "visitor": "v9"}, b"no", {"event": "page_viewed", "email": "a@b.example"})
    capture(session)
    before = {table.name: session.execute(select(table)).all() for table in metadata.sorted_tables}
    assert capture(session).changed == 0
    assert capture(session, scope=Leads((1,))).changed == 0
    assert before == {table.name: session.execute(select(table)).all() for table in metadata.sorted_tables}


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    with counting(engine) as seen:
        yield seen


def test_statements_grow_with_batches_and_not_with_rows(session: Session, statements: list[str]) -> None:
    def taken(people: int, at: Any) -> int:
        told = [{"event": "page_viewed", "email": f"p{n}@x{at:%H}.example", "id": f"{at}{n}"} for n in range(people)]
        come_in(session, *told, at=at)
        statements.clear()
        capture(session, at + timedelta(minutes=1))
        return len(statements)

    few = taken(10, NIGHT)
    many = taken(1_000, NIGHT + HOUR)
    more = taken(2_000, NIGHT + 2 * HOUR)
    assert many <= few + 1
    assert more - many <= many

"""An appointment for the salesperson's calendar: for whoever has the hand-over, at a time when the office is open."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_answer
from leadflow.models import escalation, event
from leadflow.web.icalendar import Appointment, as_ics
from leadflow.web.meeting import free_half_hour
from tests.apps import an_app
from tests.build import add_event
from tests.pipeline.sales import add_account, open_handover, selling
from tests.web.test_unsubscribe import KEY, counts

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
URL = f"/h/{sign_answer(KEY, 1, 'Marc', 'accept')}"


@pytest.fixture
def app(app: App) -> App:
    """Hand-over 1 is Marc's."""
    with Session(app.engine) as session, session.begin():
        add_account(session, 5, name="Vannes; Co, and sons")
        open_handover(session, 1, lead={"first_name": "Zoé", "last_name": "Morel", "account_id": 5, "phone": "+3347"})
    return an_app(app.engine, book=selling())


def told(client: TestClient) -> dict[str, str]:
    """The lines of the file, by their names."""
    answer = client.get(f"{URL}/meeting.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    whole = answer.content.decode().replace("\r\n ", "")
    return dict(line.split(":", 1) for line in whole.split("\r\n") if line and "VEVENT" not in line)


@on_sqlite
def test_a_hand_over_becomes_half_an_hour_of_an_open_office(app: App, client: TestClient) -> None:
    before, now = counts(app), datetime.now(UTC)
    first, second = told(client), told(client)
    assert first["UID"] == second["UID"] == "handover-1@127.0.0.1"
    starts, ends = (datetime.strptime(first[name] + "+0000", "%Y%m%dT%H%M%SZ%z") for name in ("DTSTART", "DTEND"))
    assert ends - starts == timedelta(minutes=30)
    assert starts >= now + timedelta(minutes=59)
    assert first["SUMMARY"] == "Parler à Zoé Morel – Vannes\\; Co\\, and sons"
    assert (first["DESCRIPTION"], first["LOCATION"]) == ("+3347\\np1@x.example\\nleadflow why L-0001", "+3347")
    assert counts(app) == before


@on_sqlite
def test_a_meeting_that_was_booked_stands_at_its_own_hour(app: App, client: TestClient) -> None:
    starts = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    with Session(app.engine) as session, session.begin():
        add_event(session, 8, 1, "meeting_booked", properties={"starts_at": starts.isoformat()})
    assert told(client)["DTSTART"] == f"{starts:%Y%m%dT%H%M%SZ}"
    with Session(app.engine) as session, session.begin():
        session.execute(update(event).values(properties={"starts_at": "soon"}))
    assert told(client)["DTSTART"] != f"{starts:%Y%m%dT%H%M%SZ}"


@on_sqlite
@pytest.mark.parametrize("change", [{"rep": "Sofia"}, {"closed_at": datetime(2026, 3, 24, tzinfo=UTC)}])
def test_who_no_longer_has_it_gets_none(app: App, client: TestClient, change: dict[str, object]) -> None:
    with Session(app.engine) as session, session.begin():
        session.execute(update(escalation).values(**change))
    assert client.get(f"{URL}/meeting.ics").status_code == 404
    assert client.get(f"/h/{sign_answer('other' * 9, 1, 'Marc', 'accept')}/meeting.ics").status_code == 404


@on_sqlite
def test_whoever_accepts_is_offered_to_set_a_time(app: App, client: TestClient) -> None:
    assert "meeting.ics" not in client.get(URL).text
    assert f'href="{URL.removeprefix("/h/")}/meeting.ics"' in client.post(URL).text
    with Session(app.engine) as session:
        assert session.scalar(select(escalation.c.state)) == "accepted"


@pytest.mark.parametrize(
    ("now", "starts"),
    [
        # The office of the test playbook: Paris, Monday to Friday, nine to five.
        ("2026-03-24T09:10:00+01:00", "2026-03-24T10:30:00+01:00"),
        ("2026-03-24T15:30:00+01:00", "2026-03-24T16:30:00+01:00"),
        ("2026-03-24T15:31:00+01:00", "2026-03-25T09:00:00+01:00"),
        # A Friday evening before the clocks change.
        ("2026-03-27T18:00:00+01:00", "2026-03-30T09:00:00+02:00"),
    ],
)
def test_a_time_nobody_has_agreed_on_yet_is_an_hour_away_and_in_open_hours(now: str, starts: str) -> None:
    assert free_half_hour(selling(), datetime.fromisoformat(now)) == datetime.fromisoformat(starts)


def test_long_lines_are_folded_between_characters_and_what_separates_is_escaped() -> None:
    at = datetime(2026, 3, 24, 9, tzinfo=UTC)
    text = "é" * 120 + "\nBEGIN:VEVENT\r\x00; a, b \\"
    raw = as_ics(Appointment(uid="1@a", made_at=at, starts_at=at, ends_at=at, title="x", text=text))
    assert max(len(line) for line in raw.split(b"\r\n")) <= 75
    assert [line.decode() for line in raw.split(b"\r\n")][-1] == ""
    whole = raw.decode().replace("\r\n ", "")
    assert "DESCRIPTION:" + "é" * 120 + "\\nBEGIN:VEVENT\\; a\\, b \\\\\r\n" in whole
    assert whole.count("\r\nBEGIN:VEVENT\r\n") == 1

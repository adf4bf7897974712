"""What `check` says of the people there are: vanished names, rules that are too hot, content that runs out."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.app.checks import check_people
from leadflow.models import enrolment, lead, message
from leadflow.playbook.model import Playbook
from leadflow.settings import Settings
from tests.build import NIGHT, add_event, add_lead
from tests.pipeline.nurture_world import LEARN, STEPS, WAIT, WELCOME, book, email, sequence
from tests.pipeline.sales import sales, selling


def stand(session: Session, lead_id: int, position: str | None, step: str, name: str = "discovery") -> None:
    """Somebody in a sequence, past `position` and on `step`."""
    add_lead(session, lead_id, language="fr")
    at = {"entered_at": NIGHT, "completed_at": NIGHT, "due_at": NIGHT + timedelta(days=2)}
    row = {"id": lead_id, "lead_id": lead_id, "sequence": name, "track": "nurture", "entry": 1}
    session.execute(insert(enrolment), row | at | {"position": position, "step": step})


def faults(engine: Engine, playbook: Playbook) -> list[tuple[str, str]]:
    """(severity, message) of what the database shows."""
    settings = Settings(database_url=engine.url.render_as_string(hide_password=False))
    return [(fault.severity.value, fault.message) for fault in check_people(settings, playbook, NIGHT)]


def test_a_vanished_step_is_an_error_for_those_who_have_passed_it(session: Session, engine: Engine) -> None:
    stand(session, 1, "learn-1", "wait")
    stand(session, 2, "learn-1", "wait")
    session.commit()
    told = (
        'step "learn-1" is gone; 2 people who have passed it would stand nowhere. '
        "Renamed? add  was: learn-1  to the new step. Removed? add  removed: {learn-1: the step they go on to}"
    )
    assert faults(engine, book()) == [("error", told)]


@pytest.mark.parametrize(
    "mended",
    [
        sequence(steps=[WELCOME, WAIT, replace(LEARN, was="learn-1")]),
        sequence(steps=STEPS, removed={"learn-1": "learn"}),
        sequence(steps=STEPS, removed={"learn-1": "end"}),
    ],
    ids=["renamed", "removed", "over"],
)
def test_was_and_removed_say_what_becomes_of_them(session: Session, engine: Engine, mended: Any) -> None:
    stand(session, 1, "learn-1", "wait")
    session.commit()
    assert faults(engine, book(mended)) == []


def test_a_vanished_step_ahead_is_a_warning_that_names_the_next_one(session: Session, engine: Engine) -> None:
    stand(session, 1, "welcome", "wait-old")
    session.commit()
    told = (
        'step "wait-old" is gone; 1 person stands on it. Renamed? add  was: wait-old  to the new step. '
        "Removed? they go on to wait"
    )
    assert faults(engine, book()) == [("warning", told)]


def test_a_vanished_sequence_is_an_error_until_the_files_say_where_its_people_go(
    session: Session, engine: Engine
) -> None:
    stand(session, 1, None, "welcome", "basics")
    session.commit()
    ((severity, told),) = faults(engine, book())
    assert (severity, told.split(". ")[0]) == ("error", 'sequence "basics" is gone; 1 person is in it')
    assert faults(engine, book(sequence(steps=STEPS, was="basics"))) == []
    assert faults(engine, replace(book(), removed_sequences=("basics",))) == []


def test_who_is_through_with_a_vanished_sequence_does_not_matter(session: Session, engine: Engine) -> None:
    stand(session, 1, "x", "y", "basics")
    session.execute(enrolment.update().values(ended_at=NIGHT, end_reason="finished"))
    session.commit()
    assert faults(engine, book()) == []


def test_a_rule_that_would_overrun_the_team_is_said_with_its_numbers(session: Session, engine: Engine) -> None:
    for number in range(1, 5):
        add_lead(session, number)
        # The first of them a day before the others, and one so long ago that it does not count.
        ago = {1: timedelta(days=6), 4: timedelta(days=40)}.get(number, timedelta(days=5, hours=-1))
        add_event(session, number, number, "quote_requested", occurred_at=NIGHT - ago)
    session.commit()
    team = tuple(replace(rep, per_day=limit, open=30) for rep, limit in zip(sales().team, (1, 0, 0), strict=True))
    ((severity, told),) = faults(engine, selling(sales=sales(team=team)))
    assert severity == "warning"
    assert told == (
        'hot rule "hand-raise" would have fired 3 times in the last 30 days, 2 in one night · '
        "your team's limits add up to 1 a day, 90 open"
    )
    assert faults(engine, selling()) == []


def test_a_cell_whose_people_had_everything_runs_dry(session: Session, engine: Engine) -> None:
    stand(session, 1, "welcome", "wait")
    stand(session, 2, "welcome", "wait")
    sent: dict[str, Any] = {
        "purpose": "nurture",
        "basis": "consent",
        "version": "1",
        "playbook": "1",
        "state": "accepted",
    }
    sent |= {"planned_at": NIGHT, "send_at": NIGHT, "sent_at": NIGHT, "expires_at": NIGHT, "language": "fr"}
    session.execute(insert(message), {"lead_id": 1, "address_id": 1, "email": "guide"} | sent)
    session.commit()
    told = "runs dry: discovery × – × fr: 1 person has no email left that they have not had"
    assert faults(engine, book()) == [("warning", told)]
    assert faults(engine, book(emails=[email("guide"), email("more")])) == []
    assert faults(engine, book(emails=[email("guide"), email("more", written_in=("en",))])) == [("warning", told)]


def test_mails_that_wait_with_a_vanished_email_are_said(session: Session, engine: Engine) -> None:
    add_lead(session, 1)
    waits: dict[str, Any] = {
        "purpose": "nurture",
        "basis": "consent",
        "version": "1",
        "playbook": "1",
        "language": "fr",
    }
    waits |= {"planned_at": NIGHT, "send_at": NIGHT, "expires_at": NIGHT, "email": "hello"}
    session.execute(insert(message), {"lead_id": 1, "address_id": 1} | waits)
    session.commit()
    ((severity, told),) = faults(engine, book())
    assert (severity, told) == (
        "warning",
        'email "hello" is gone; 1 mail planned with it is planned anew. Renamed? add  was: hello',
    )
    assert faults(engine, book(emails=[email("guide", was="hello")])) == []


def test_asking_writes_nothing(session: Session, engine: Engine) -> None:
    stand(session, 1, "welcome", "wait-old")
    add_event(session, 1, 1, "quote_requested")
    session.commit()
    faults(engine, selling())
    with engine.connect() as connection:
        assert [row.id for row in connection.execute(select(lead))] == [1]
        assert connection.execute(select(enrolment.c.step)).scalar_one() == "wait-old"


def test_without_a_database_there_is_nothing_to_ask(tmp_path: Path) -> None:
    assert check_people(Settings(workspace=tmp_path), book(), NIGHT) == []
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_asked_is_said_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var/leadflow.db").write_bytes(b"")
    (found,) = check_people(Settings(workspace=tmp_path), book(), NIGHT)
    assert found.severity == "warning"
    assert "only the files were checked" in found.message

"""`leadflow approve`, `pause` and `resume`, as they are typed."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.app import open_app
from leadflow.models import hold, message, pause
from tests.build import NIGHT, add_lead
from tests.cli.conftest import Types

NIGHTLY = NIGHT.isoformat()


@pytest.fixture
def people(place: Path) -> Path:
    """Eight people who are due a mail, where more than three are too many."""
    path = place / "config" / "leadflow.yaml"
    path.write_text(path.read_text().replace("sends_over: 500", "sends_over: 3"))
    told: dict[str, Any] = {"basis": "legitimate_interest", "source": "fair", "informed_on": "2026-01-05"}
    with Session(open_app(place).engine) as session, session.begin():
        for number in range(1, 9):
            add_lead(session, number, language="fr", country="FR", **told)
    return place


def test_a_held_night_is_listed_shown_asked_about_and_approved(people: Path, types: Types) -> None:
    assert "no night is held" in types("approve").output
    assert "brake: 8 mails planned — leadflow approve 2026-03-23" in types("run", "--at", NIGHTLY).output
    shown = types("approve", "2026-03-23", input="n\n")
    assert shown.exit_code == 1
    assert "NIGHT of 2026-03-23, swept at 04:15: held" in shown.output
    assert "8 mails to as many people" in shown.output
    assert "let it leave?" in shown.output
    said = types("approve", "2026-03-23", "--yes", "--by", "ana", "--at", "2026-03-23T08:00")
    assert "approved by ana: it leaves at its hours" in said.output
    again = types("approve", "2026-03-23", "--yes")
    assert again.exit_code == 2
    assert "2026-03-23 was approved by ana on 2026-03-23 08:00" in again.output
    with Session(open_app(people).engine) as session:
        assert session.scalars(select(hold.c.answered_by)).all() == ["ana"]


def test_a_dropped_night_cancels_its_mails(people: Path, types: Types) -> None:
    types("run", "--at", NIGHTLY)
    said = types("approve", "2026-03-23", "--drop", "--yes", "--by", "ana", "--at", "2026-03-23T08:00")
    assert "dropped by ana: the next sweep plans anew" in said.output
    with Session(open_app(people).engine) as session:
        assert set(session.scalars(select(message.c.state))) == {"suppressed"}


def test_mail_is_paused_listed_and_resumed(people: Path, types: Types) -> None:
    assert "nothing is paused" in types("pause").output
    at = ("--by", "ana", "--at", "2026-03-20T10:00")
    assert "sequence discovery: paused, no further mail begins" in types("pause", "--sequence", "discovery", *at).output
    assert "paused already" in types("pause", "--sequence", "discovery", *at).output
    assert "paused since 2026-03-20 10:00 by ana: sequence discovery" in types("pause").output
    types("run", "--at", NIGHTLY)
    went_on = types("resume", "--sequence", "discovery", "--by", "bob", "--at", "2026-03-23T09:30").output
    assert "sequence discovery: goes on; 8 planned anew, at their hours" in went_on
    assert "brake: 8 mails planned" in went_on
    assert "nothing is paused" in went_on
    with Session(open_app(people).engine) as session:
        assert session.execute(select(pause.c.by, pause.c.ended_by)).one() == ("ana", "bob")


def test_a_stream_is_paused_and_planned_when_it_goes_on(people: Path, types: Types) -> None:
    at = ("--by", "ana", "--at", "2026-03-20T10:00")
    assert "mails of purpose nurture: paused" in types("pause", "--stream", "nurture", *at).output
    types("run", "--at", NIGHTLY)
    with Session(open_app(people).engine) as session:
        assert session.scalars(select(message.c.id)).all() == []
    went_on = types("resume", "--stream", "nurture", "--by", "bob", "--at", "2026-03-23T09:30").output
    assert "mails of purpose nurture: goes on; 8 planned anew, at their hours" in went_on


def test_a_brake_that_paused_is_named(people: Path, types: Types) -> None:
    with Session(open_app(people).engine) as session, session.begin():
        row = {"kind": "stream", "name": "newsletter", "since": NIGHT, "by": "complaint brake 0.14 %"}
        session.execute(insert(pause), row)
    told = types("pause").output
    assert "by the complaint brake (0.14 %): mails of purpose newsletter" in " ".join(told.split())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            ("pause", "--sequence", "discvery"),
            "sequence discvery is not known. One of: decision, discovery, evaluation",
        ),
        (("pause", "--email", "x"), "email x is not known. One of:"),
        (("pause", "--all", "--email", "welcome"), "one at a time: --sequence, --email, --stream or --all"),
        (("resume",), "name what goes on: --sequence, --email, --stream or --all"),
        (("resume", "--all"), "all mail is not paused"),
        (("approve", "2026-03-22"), "nothing of 2026-03-22 is held"),
    ],
)
def test_what_cannot_be_is_said(types: Types, typed: tuple[str, ...], said: str) -> None:
    answer = types(*typed)
    assert answer.exit_code == 2
    assert said in answer.output


def test_prefect_is_not_set_up_without_somebody_to_tell(types: Types) -> None:
    answer = types("prefect", "setup")
    assert answer.exit_code == 2
    assert "whom to tell? Set LEADFLOW_OPS_ALERT" in answer.output

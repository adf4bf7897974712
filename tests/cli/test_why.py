"""`leadflow why` and `leadflow plan` as they are typed."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from leadflow.app import App, open_app, sweep
from leadflow.intake.people import upsert_people
from leadflow.intake.person import PersonReader
from tests.cli.conftest import Types

PARIS = ZoneInfo("Europe/Paris")
NIGHT = datetime(2026, 3, 23, 4, 15, tzinfo=PARIS)


@pytest.fixture
def lived(place: Path) -> App:
    """One night with Claire, who is mailed, and with Luc, whose data nobody may use."""
    app = open_app(place)
    grounds = {"basis": "legitimate_interest", "source": "fair", "informed_on": "2026-02-13", "country": "FR"}
    people = [
        {"email": "claire@makers.example", "first_name": "Claire", "employees": "62", **grounds},
        {"email": "luc@b.example", "first_name": "Luc [x]"},
    ]
    reader = PersonReader(fields=app.playbook.fields, zone=PARIS)
    with Session(app.engine) as session, session.begin():
        read = [reader.read(one, None) for one in people]
        upsert_people(session, app.playbook, read, key=app.settings.key(), now=NIGHT.replace(day=20), source="import")
    sweep(app, NIGHT)
    app.engine.dispose()
    return app


@pytest.mark.usefixtures("lived")
def test_somebody_who_is_mailed(types: Types) -> None:
    told = types("why", "Claire@makers.example").output
    for words in (
        "Claire",
        "prospect no, lead · discovery · C4",
        "+20  our-size",
        "stored 35 ✓",
        "WHY DISCOVERY",
        "QUALIFIED",
        "discovery/welcome: welcome planned in fr",
        "→ welcome leaves Mon 23 March at",
    ):
        assert words in told


@pytest.mark.usefixtures("lived")
def test_somebody_who_gets_nothing_is_told_the_first_block_and_when_it_lifts(types: Types) -> None:
    told = types("why", "luc@b.example").output
    assert "✗ no legal basis: no basis is known" in told
    assert "→ lifts with a legal basis, a source and the day the person was told; would then get welcome" in told
    assert "Luc [x]" in told


@pytest.mark.usefixtures("lived")
def test_why_not_is_ticks_up_to_the_first_block_and_what_would_leave_once_it_lifts(types: Types) -> None:
    told = types("why", "luc@b.example", "--not").output.splitlines()
    assert told[:4] == [
        "Luc [x] · D4 · discovery",
        "WHY NOTHING TONIGHT",
        "  ✓ address works   ✓ subscribed",
        "  ✗ no legal basis: no basis is known",
    ]
    assert told[4].startswith("  → lifts with a legal basis, a source and the day the person was told; would then get")


@pytest.mark.usefixtures("lived")
def test_why_not_of_somebody_who_is_mailed_names_the_mail(types: Types) -> None:
    told = types("why", "claire@makers.example", "--not").output
    assert "NEXT MAIL" in told
    assert "→ welcome leaves Mon 23 March at " in told


@pytest.mark.usefixtures("lived")
def test_why_speaks_french(types: Types, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADFLOW_LANG", "fr")
    told = types("why", "luc@b.example", "--not").output
    assert "POURQUOI RIEN CETTE NUIT" in told
    assert "✗ pas de base légale\u00a0: aucune base connue" in told


@pytest.mark.usefixtures("lived")
def test_a_lead_may_be_named_by_its_number(types: Types) -> None:
    assert types("why", "l-0002").output == types("why", "luc@b.example").output


@pytest.mark.usefixtures("lived")
def test_of_a_past_day_only_what_was_decided_is_said(types: Types) -> None:
    told = types("why", "claire@makers.example", "--at", "2026-03-22").output
    assert "THAT NIGHT" in told
    assert "nothing had been decided yet" in told
    assert "NEXT MAIL" not in told
    assert "rebuilt for this instant" in told


@pytest.mark.usefixtures("lived")
def test_once_a_wait_is_over_the_mail_that_would_leave_is_named(types: Types, lived: App) -> None:
    from sqlalchemy import update

    from leadflow.models import message

    with lived.engine.begin() as connection:
        left = {"state": "accepted", "sent_at": NIGHT.replace(hour=10), "attempt_id": "a", "delivery": None}
        connection.execute(update(message).values(**left))
    sweep(lived, NIGHT.replace(day=24))
    lived.engine.dispose()
    told = types("why", "claire@makers.example").output
    assert "✗ next step not due: discovery / wait-1 runs since 23 March, 3 business days" in told
    assert "; would then get " in told


def test_nobody_is_known_as_that(types: Types) -> None:
    done = types("why", "nobody@x.example")
    assert (done.exit_code, done.stderr) == (2, "nobody is known as nobody@x.example\n")


@pytest.mark.usefixtures("lived")
def test_narrow_screens_get_one_column_and_wide_ones_two(types: Types, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadflow.cli.common.console._width", 200)
    wide = types("why", "claire@makers.example").output
    assert [line for line in wide.splitlines() if "WHY FIT" in line and "WHY ENGAGEMENT" in line]
    monkeypatch.setattr("leadflow.cli.common.console._width", 90)
    narrow = types("why", "claire@makers.example").output
    assert not [line for line in narrow.splitlines() if "WHY FIT" in line and "WHY ENGAGEMENT" in line]


@pytest.mark.usefixtures("lived")
def test_the_plan_of_the_next_night_says_who_gets_nothing_and_why(types: Types) -> None:
    done = types("plan", "--at", "2026-03-24")
    assert done.exit_code == 0
    assert "PLAN for Tue 24 March" in done.output
    assert "2 people get nothing, and each has a reason:" in done.output
    assert "1 no legal basis" in done.output

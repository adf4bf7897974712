"""Whoever comes from a mail of ours is not asked what we know, and nobody learns from it what we know."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.conditions.tree import FieldLeaf
from leadflow.links import sign_click, sign_reader
from leadflow.models import consent, identity, lead, link
from leadflow.playbook.model import Criterion
from leadflow.types import micros
from tests.build import journey
from tests.pipeline.mails import add_message
from tests.web.books import a_form, asked, with_forms
from tests.web.test_forms import kept, stamped

NOBODY = FieldLeaf(field="country", operator="in", value=())
DOOR = "http://127.0.0.1:8380"


@pytest.fixture
def app(engine: Engine) -> App:
    """Lead 7, whose first name and project are known; a form that asks for both and for one question more."""
    criteria = tuple(Criterion(name=name, when=NOBODY, ask=name) for name in ("project", "deadline", "employees"))
    questions = (asked("email", needed=True), asked("first_name", needed=True), asked("project"))
    form = a_form(questions=questions, ask_next=1, event="form_submitted")
    app = with_forms(engine, form, journey=journey(criteria=criteria))
    with Session(engine) as session, session.begin():
        session.execute(update(lead).values(first_name="Paul", attributes={"project": "seo"}))
    return app


def word(app: App, *, days: float = 1, identity_id: int = 7) -> str:
    return sign_reader(app.settings.key(), identity_id, micros(datetime.now(UTC) + timedelta(days=days)))


def test_a_stranger_is_asked_everything_and_one_question_more(client: TestClient) -> None:
    page = client.get("/f/letter").text
    assert [name for name in ("email", "first_name", "project", "deadline") if f'<label for="{name}">' in page] == [
        "email",
        "first_name",
        "project",
        "deadline",
    ]
    assert '<label for="employees">' not in page


def test_a_reader_is_asked_only_what_is_not_known(app: App, client: TestClient) -> None:
    page = client.get(f"/f/letter?who={word(app)}&lang=en").text
    assert [name for name in ("email", "first_name", "project") if f'<label for="{name}">' in page] == []
    assert '<label for="deadline">' in page
    assert "p…@x.example" in page
    assert "p7@x.example" not in page
    assert "Paul" not in page


def test_what_is_said_in_ones_own_words_is_asked_each_time(app: App, client: TestClient) -> None:
    app.playbook.forms["letter"] = a_form(questions=(replace(asked("project"), lines=4),))  # type: ignore[index]
    assert '<label for="project">' in client.get(f"/f/letter?who={word(app)}").text


def test_the_answer_is_the_readers_own(app: App, client: TestClient) -> None:
    told = {"_who": word(app), "deadline": "2026-12-24", "consent.newsletter": "yes", **stamped(app)}
    assert client.post("/forms/letter", data=told).status_code == 303
    (act,) = kept(app)
    assert (act["email"], act["fields"]) == ("p7@x.example", {"deadline": "2026-12-24"})


def test_who_agreed_already_is_not_asked_again(app: App, client: TestClient) -> None:
    with Session(app.engine) as session, session.begin():
        row = {"lead_id": 7, "purpose": "newsletter", "at": datetime.now(UTC), "method": "form"}
        session.execute(insert(consent), [{**row, "state": "withdrawn"}, {**row, "state": "given"}])
    assert "I want the letter." not in client.get(f"/f/letter?who={word(app)}").text


@pytest.mark.parametrize("wrong", ["old", "forged", "gone"])
def test_a_word_that_is_over_forged_or_of_somebody_gone_makes_a_stranger(
    app: App, client: TestClient, wrong: str
) -> None:
    made = {"old": word(app, days=-1), "forged": word(app)[:-1] + "x", "gone": word(app, identity_id=99)}[wrong]
    assert '<label for="email">' in client.get(f"/f/letter?who={made}").text
    told = {"_who": made, "deadline": "2026-12-24", "consent.newsletter": "yes", **stamped(app)}
    assert client.post("/forms/letter", data=told).status_code == 422


def test_a_click_in_a_mail_makes_its_reader_known_to_our_forms_alone(app: App, client: TestClient) -> None:
    with Session(app.engine) as session, session.begin():
        add_message(session, 12, 7)
        session.execute(
            insert(link),
            [{"id": 3, "url": f"{DOOR}/f/letter?lang=en"}, {"id": 4, "url": "https://evil.example/f/letter"}],
        )
    ours, other = (client.get(f"/c/{sign_click('k' * 32, 12, n)}").headers["location"] for n in (3, 4))
    assert ours.startswith(f"{DOOR}/f/letter?lang=en&who=")
    assert other == "https://evil.example/f/letter"
    assert '<label for="email">' not in client.get(ours.removeprefix(DOOR)).text


def test_the_address_is_forgotten_with_its_owner(app: App, client: TestClient) -> None:
    with Session(app.engine) as session, session.begin():
        session.execute(update(identity).values(lead_id=None))
    assert '<label for="email">' in client.get(f"/f/letter?who={word(app)}").text

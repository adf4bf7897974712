"""The door of an alert's answers: GET shows one button, POST answers, and only for whoever has the hand-over."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_answer
from leadflow.models import escalation
from leadflow.web.lane import Lane
from tests.apps import an_app
from tests.pipeline.sales import add_account, open_handover, selling
from tests.web.test_unsubscribe import KEY, counts


@pytest.fixture
def app(app: App) -> App:
    """A workspace that sells; hand-over 1 is Marc's."""
    with Session(app.engine) as session, session.begin():
        add_account(session, 5, name="Vannes & Co")
        open_handover(session, 1, lead={"first_name": "Claire", "last_name": "Morel", "account_id": 5})
    return an_app(app.engine, book=selling())


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Lane]:
    """The fast lane does not run here; how often it was asked to."""
    asked: list[Lane] = []
    monkeypatch.setattr(Lane, "wake", lambda lane: asked.append(lane))
    return asked


def url(said: str = "accept", rep: str = "Marc") -> str:
    return f"/h/{sign_answer(KEY, 1, rep, said)}"


def state(app: App) -> tuple[str, str | None]:
    with Session(app.engine) as session:
        row = session.execute(select(escalation).where(escalation.c.id == 1)).one()
    return row.state, row.answer_reason


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("said", ["accept", "later", "reject"])
def test_opening_a_link_changes_no_row(app: App, client: TestClient, method: str, said: str) -> None:
    before = counts(app)

    assert client.request(method, url(said)).status_code == 200

    assert counts(app) == before
    assert state(app) == ("waiting", None)


def test_the_page_names_the_person_in_the_salespersons_language_and_has_one_button(client: TestClient) -> None:
    page = client.get(url(), headers={"Accept-Language": "en"}).text

    assert '<html lang="fr"' in page
    assert "Claire Morel — Vannes &amp; Co" in page
    assert page.count("<button") == 1


def test_the_button_answers(app: App, client: TestClient, woken: list[Lane]) -> None:
    answer = client.post(url())

    assert (answer.status_code, "<button" in answer.text, state(app)) == (200, False, ("accepted", None))
    # What the person is then written waits for no night.
    assert len(woken) == 1


def test_a_rejection_asks_for_its_reason_in_words(app: App, client: TestClient, woken: list[Lane]) -> None:
    assert '<option value="no_project">pas de projet</option>' in client.get(url("reject")).text
    refused = client.post(url("reject"), data={"reason": "bored"})
    assert (refused.status_code, "<button" in refused.text, state(app)) == (422, True, ("waiting", None))

    client.post(url("reject"), data={"reason": "no_project"})

    assert (state(app), woken) == (("rejected", "no_project"), [])


@pytest.mark.parametrize("day", ["", "soon", "2020-01-01"])
def test_later_asks_for_a_day_to_come(app: App, client: TestClient, day: str) -> None:
    assert client.post(url("later"), data={"on": day}).status_code == 422
    assert state(app) == ("waiting", None)

    client.post(url("later"), data={"on": f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"})

    assert state(app) == ("later", None)


def test_whoever_had_it_before_is_told_who_has_it(app: App, client: TestClient) -> None:
    with Session(app.engine) as session, session.begin():
        session.execute(update(escalation).values(rep="Sofia"))

    shown, given = client.get(url()), client.post(url())

    assert "Sofia" in shown.text
    assert (given.status_code, "<button" in shown.text, state(app)) == (409, False, ("waiting", None))


def test_what_is_closed_takes_no_answer(app: App, client: TestClient) -> None:
    client.post(url("reject"), data={"reason": "too_late"})

    assert (client.post(url()).status_code, state(app)) == (409, ("rejected", "too_late"))


def test_pressing_twice_changes_nothing(app: App, client: TestClient) -> None:
    client.post(url())

    assert (client.post(url()).status_code, state(app)[0]) == (422, "accepted")


@pytest.mark.parametrize(
    "token", ["x", sign_answer("other" * 9, 1, "Marc", "accept"), sign_answer(KEY, 99, "Marc", "accept")]
)
def test_a_word_that_nobody_signed_finds_nothing(client: TestClient, token: str) -> None:
    assert [client.get(f"/h/{token}").status_code, client.post(f"/h/{token}").status_code] == [404, 404]


def test_an_answer_that_does_not_exist_finds_nothing(client: TestClient) -> None:
    assert client.get(url("maybe")).status_code == 404

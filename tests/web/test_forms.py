"""A form as a visitor meets it: shown, filled in, kept in `intake`, and taken in by capture as a person who agreed."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_form
from leadflow.models import consent, event, intake, lead, playbook_version
from leadflow.pipeline.capture import capture_intake
from leadflow.types import EVERYONE, micros
from leadflow.web.lane import Lane
from leadflow.web.site import create_site
from tests.web.books import a_form, asked, with_forms

LETTER = {"email": "Ana@b.example", "first_name": "Ana", "consent.newsletter": "yes", "lang": "en"}
SITE = "https://a.example"
FILE = b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n\r\n--x--'


@pytest.fixture
def app(engine: Engine) -> App:
    quote = a_form(name="quote", event="quote_requested", consents=(), questions=(asked("email", needed=True),))
    asks = (asked("email", needed=True), asked("phone"), asked("employees"), asked("deadline"), asked("project"))
    return with_forms(engine, a_form(), quote, a_form(name="all", questions=asks, consents=(), event="form_submitted"))


def stamped(app: App, form: str = "letter", ago: float = 60) -> dict[str, str]:
    """What the page of a form carries that was shown some seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=ago)
    return {"_at": sign_form(app.settings.key(), form, micros(at))}


def kept(app: App) -> list[dict[str, Any]]:
    with Session(app.engine) as session:
        return [json.loads(body) for body in session.scalars(select(intake.c.body).where(intake.c.kind == "form"))]


def captured(app: App) -> Session:
    session = Session(app.engine)
    capture_intake(session, app.playbook, datetime.now(UTC) + timedelta(seconds=1), EVERYONE, key=app.settings.key())
    return session


def test_a_form_is_shown_filled_in_and_becomes_a_person_who_agreed(app: App, client: TestClient) -> None:
    page = client.get("/f/letter?lang=en&utm_source=fair&referrer=https://search.example/q?words=mine")
    carried = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    assert (page.status_code, carried["utm_source"], carried["lang"]) == (200, "fair", "en")

    answer = client.post("/forms/letter", data={**carried, **LETTER, **stamped(app)})
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/f/letter/thanks")

    with captured(app) as session:
        person = session.execute(select(lead).where(lead.c.first_name == "Ana")).one()
        agreed = session.execute(select(consent).where(consent.c.lead_id == person.id)).one()
        acts = session.scalars(select(event.c.kind).where(event.c.lead_id == person.id)).all()
        assert session.scalar(select(playbook_version.c.hash)) == app.playbook.version
    assert (person.language, person.source, acts) == ("en", "letter", ["newsletter_joined"])
    assert (agreed.purpose, agreed.state, agreed.method, agreed.page) == ("newsletter", "given", "form", "/f/letter")
    assert (agreed.wording_version, len(agreed.wording_hash)) == ("letter.en@000000", 64)
    (act,) = kept(app)
    assert act["source_of"] == {"utm_source": "fair", "referrer": "https://search.example/q"}


def test_thanks_are_the_same_for_somebody_new_and_somebody_known(app: App, client: TestClient) -> None:
    told = []
    for address in ("p7@x.example", "nobody@x.example"):
        answer = client.post("/forms/letter", data={**LETTER, **stamped(app), "email": address})
        told.append((answer.status_code, re.sub(r"got=[^&]*", "", answer.headers["location"]), answer.content))
    assert told[0] == told[1]


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(app: App, client: TestClient) -> None:
    answer = client.post("/forms/letter", data={**stamped(app), "email": "ana@", "first_name": '"><b>', "lang": "en"})
    assert answer.status_code == 422
    assert 'aria-describedby="email-wrong" aria-invalid="true"' in answer.text
    assert 'value="&#34;&gt;&lt;b&gt;"' in answer.text
    assert "Please tick this box" in answer.text
    assert kept(app) == []


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("email", "", "Please fill this in."),
        ("phone", "12", "+33 1 23 45 67 89"),
        ("employees", "many", "a number"),
        ("deadline", "soon", "2026-12-31"),
        ("project", "castle", "one of the list"),
    ],
)
def test_each_kind_of_answer_has_its_word(app: App, client: TestClient, field: str, text: str, says: str) -> None:
    data = {"email": "ana@b.example", **stamped(app, "all"), field: text}
    answer = client.post("/forms/all", data=data, headers={"Accept": "application/json", "Accept-Language": "en"})
    assert answer.status_code == 422
    assert says in json.dumps(answer.json())
    assert kept(app) == []


def test_a_telephone_number_is_read_as_one_of_the_office(app: App, client: TestClient) -> None:
    data = {"email": "ana@b.example", "phone": "03 20 12 34 56", "project": "SEO", **stamped(app, "all")}
    assert client.post("/forms/all", data=data).status_code == 303
    with captured(app) as session:
        row = session.execute(select(lead.c.phone, lead.c.attributes).where(lead.c.email_domain == "b.example")).one()
    assert row == ("+33320123456", {"project": "seo"})


def test_a_form_sent_twice_counts_once(app: App, client: TestClient) -> None:
    sent = {**LETTER, **stamped(app)}
    for _time in range(2):
        assert client.post("/forms/letter", data=sent).status_code == 303
    with captured(app) as session:
        assert session.scalar(select(func.count()).select_from(event)) == 1


def test_an_empty_box_takes_nothing_back(app: App, client: TestClient) -> None:
    free = a_form(name="free", consents=(replace(a_form().consents[0], needed=False),))
    app.playbook.forms["free"] = free  # type: ignore[index]
    client.post("/forms/free", data={"email": "ana@b.example", **stamped(app, "free")})
    assert "consent" not in kept(app)[0]


def test_a_confirmation_that_is_to_be_asked_for_is_told(app: App, client: TestClient) -> None:
    app.playbook.forms["letter"] = a_form(double_opt_in=True)  # type: ignore[index]
    client.post("/forms/letter", data={**LETTER, **stamped(app)})
    assert kept(app)[0]["double_opt_in"] is True


def test_a_program_that_fills_in_everything_is_thanked_and_not_heard(app: App, client: TestClient) -> None:
    answer = client.post("/forms/letter", data={**LETTER, **stamped(app), "subject_line": "cheap"})
    assert answer.status_code == 303
    assert kept(app) == []


@pytest.mark.parametrize("carried", [{}, {"_at": "letter.1.0"}, {"_at": "é"}])
def test_without_the_word_of_the_page_the_button_is_asked_for_again(
    app: App, client: TestClient, carried: dict[str, str]
) -> None:
    answer = client.post("/forms/letter", data={**LETTER, **carried})
    assert (answer.status_code, kept(app)) == (422, [])
    assert 'name="_at" value="letter.' in answer.text


def test_who_is_quicker_than_a_reader_presses_once_more(app: App, client: TestClient) -> None:
    assert client.post("/forms/letter", data={**LETTER, **stamped(app, ago=0.5)}).status_code == 422
    assert client.post("/forms/letter", data={**LETTER, **stamped(app, ago=3)}).status_code == 303


def test_the_html_of_the_site_needs_no_word(app: App, client: TestClient) -> None:
    headers = {"Origin": SITE, "Accept": "application/json"}
    answer = client.post("/forms/letter", files={"email": (None, "ana@b.example")}, data=LETTER, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SITE
    assert answer.json()["thanks"]["title"] == "Thank you"
    assert len(kept(app)) == 1


def test_a_script_of_another_site_reads_no_answer(client: TestClient) -> None:
    headers = {"Origin": "https://evil.example", "Accept": "application/json"}
    assert "access-control-allow-origin" not in client.post("/forms/letter", data=LETTER, headers=headers).headers


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"a=1&" * 200, "application/x-www-form-urlencoded", 400),
        (b"email=%ff", "application/x-www-form-urlencoded", 400),
        (b"email=%ed%a0%80", "application/x-www-form-urlencoded", 400),
        (b"\xff", "application/x-www-form-urlencoded", 400),
        (b"--x\r\n", "multipart/form-data", 400),
        (
            b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n\r\n--x--",
            "multipart/form-data; boundary=x",
            400,
        ),
        (b"{}", "application/json", 415),
        (b"", "", 422),
    ],
)
def test_what_is_no_form_is_refused(app: App, client: TestClient, content: bytes, kind: str, status: int) -> None:
    assert client.post("/forms/letter", content=content, headers={"Content-Type": kind}).status_code == status
    assert kept(app) == []


def test_a_network_that_sends_too_many_is_asked_to_wait(app: App) -> None:
    with TestClient(create_site(app), client=("203.0.113.7", 1), follow_redirects=False) as client:
        answers = [client.post("/forms/letter", data={**LETTER, **stamped(app)}) for _time in range(21)]
    assert [answer.status_code for answer in answers] == [303] * 20 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 6
    assert 'value="Ana@b.example"' in answers[-1].text


def test_a_quote_is_answered_at_once(app: App, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    lanes: list[object] = []
    monkeypatch.setattr(Lane, "wake", lambda lane: lanes.append(lane))
    client.post("/forms/quote", data={"email": "ana@b.example", **stamped(app, "quote")})
    assert len(lanes) == 1


def test_a_form_stands_in_frames_of_the_site_alone(client: TestClient) -> None:
    own, framed = client.get("/f/letter"), client.get("/f/letter?embed=1")
    assert "frame-ancestors 'none'" in own.headers["content-security-policy"]
    assert own.headers["x-frame-options"] == "DENY"
    assert f"frame-ancestors 'self' {SITE} " in framed.headers["content-security-policy"]
    assert "x-frame-options" not in framed.headers


def test_the_script_puts_the_form_of_its_name_into_a_page(client: TestClient) -> None:
    script = client.get("/f/letter.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert '"/f/letter"' in script.text
    assert client.get("/f/nothing.js").status_code == 404


@pytest.mark.parametrize("path", ["/f/nothing", "/f/nothing/thanks", "/d/letter.1.x", "/p/nothing"])
def test_what_is_not_there_has_a_page_that_says_so(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert (answer.status_code, "There is no such page" in answer.text) == (404, True)

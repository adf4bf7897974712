"""The preference centre: what a reader chooses is kept, changes of mind go to the ledger, looking changes nothing."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_click, sign_preferences, sign_unsubscribe
from leadflow.models import consent, declined, lead, lead_change, link, preference, suppression
from leadflow.playbook.model import Rights, Wish
from leadflow.types import DAY
from leadflow.web.site import create_site
from tests.apps import an_app
from tests.build import add_lead, playbook
from tests.pipeline.mails import add_message, email, mail_playbook
from tests.web.test_confirm import sent
from tests.web.test_unsubscribe import counts
from tests.web.waiting import eventually

KEY = "k" * 32
PAGE = f"/preferences/{sign_preferences(KEY, 7)}"
TOPICS = {"search": {"fr": "Être trouvé", "en": "Being found"}, "shops": {"fr": "Boutiques", "en": "Shops"}}
ALL = {"purpose": ["nurture"], "topic": ["search", "shops"], "gap": "0", "language": "en", "tracking": "on"}


@pytest.fixture
def app(engine: Engine) -> App:
    with Session(engine) as session, session.begin():
        add_lead(session, 7, language="en", basis="legitimate_interest")
    return an_app(engine, book=playbook(rights=Rights(topics=TOPICS)))


@pytest.fixture
def client(app: App) -> TestClient:
    return TestClient(create_site(app), follow_redirects=False, raise_server_exceptions=False)


def ledger(app: App) -> list[tuple[str, str, str]]:
    with Session(app.engine) as session:
        rows = session.execute(select(consent.c.purpose, consent.c.state, consent.c.method).order_by(consent.c.id))
        return [(row.purpose, row.state, row.method) for row in rows]


def test_looking_changes_nothing_and_names_nobody(app: App, client: TestClient) -> None:
    before = counts(app)
    answer = client.get(PAGE)
    client.head(PAGE)

    assert counts(app) == before
    assert "Being found" in answer.text
    assert "p7@" not in answer.text


def test_what_is_saved_unchanged_is_no_consent(app: App, client: TestClient) -> None:
    assert "Saved" in client.post(PAGE, data=ALL).text
    assert ledger(app) == []


def test_purposes_go_to_the_ledger_as_they_change(app: App, client: TestClient) -> None:
    client.post(PAGE, data=ALL | {"purpose": ["newsletter"], "tracking": ""})
    assert ledger(app) == [
        ("newsletter", "given", "preferences"),
        ("nurture", "withdrawn", "preferences"),
        ("click_tracking", "withdrawn", "preferences"),
    ]


def test_topics_rhythm_pause_and_language_are_kept(app: App, client: TestClient) -> None:
    begun = datetime.now(UTC)
    chosen = client.post(PAGE, data=ALL | {"topic": ["shops"], "gap": "30", "pause": "30", "language": "fr"})

    assert '<html lang="fr"' in chosen.text
    with Session(app.engine) as session:
        assert session.scalars(select(declined.c.topic)).all() == ["search"]
        row = session.execute(select(preference)).one()
        assert (row.gap, (row.paused_until - begun) // timedelta(days=1)) == (30 * DAY, 30)
        assert session.scalar(select(lead.c.language).where(lead.c.id == 7)) == "fr"
        assert session.scalar(select(lead_change.c.source)) == "preferences"


def test_a_pause_that_is_kept_is_not_made_longer_and_ends_when_taken_back(app: App, client: TestClient) -> None:
    until = datetime.now(UTC) + timedelta(days=3)
    with Session(app.engine) as session, session.begin():
        session.execute(insert(preference), {"identity_id": 7, "paused_until": until, "updated_at": until})
    client.post(PAGE, data=ALL | {"pause": "30"})
    with Session(app.engine) as session:
        assert session.scalar(select(preference.c.paused_until)) == until

    client.post(PAGE, data=ALL)
    with Session(app.engine) as session:
        assert session.scalar(select(preference.c.paused_until)) is None


def test_who_had_left_comes_back_for_what_they_tick_alone(app: App, client: TestClient) -> None:
    client.post(f"/u/{sign_unsubscribe(KEY, 7, 'newsletter')}")
    client.post(PAGE, data=ALL | {"purpose": []})
    with Session(app.engine) as session:
        assert session.scalar(select(suppression.c.reason)) == "unsubscribed"

    client.post(PAGE, data=ALL | {"purpose": ["newsletter"]})
    with Session(app.engine) as session:
        assert session.scalar(select(suppression.c.reason)) is None
    last = {purpose: state for purpose, state, _method in ledger(app)}
    assert last == {"newsletter": "given", "nurture": "withdrawn"}


def test_a_link_that_leads_to_nobody_is_none(app: App, client: TestClient) -> None:
    before = counts(app)
    for token in ("x", sign_preferences("other", 7), sign_preferences(KEY, 999), "%00"):
        asked = (client.get(f"/preferences/{token}"), client.post(f"/preferences/{token}", data=ALL))
        assert [answer.status_code for answer in asked] == [404, 404]
    assert counts(app) == before


def test_a_reader_gets_a_copy_and_is_erased_after_confirming_each_by_mail(engine: Engine, tmp_path: Path) -> None:
    mails = [
        email(name, "**[Yes]({{ links.confirm }})**\n", purpose="service", pick="named") for name in ("copy", "erase")
    ]
    rights = Rights(emails={Wish.COPY: "copy", Wish.ERASE: "erase"})
    with Session(engine) as session, session.begin():
        add_lead(session, 7, language="en", basis="consent")
    app = an_app(engine, book=mail_playbook(*mails, rights=rights), workspace=tmp_path)
    client = TestClient(create_site(app), follow_redirects=False)

    links: dict[str, str] = {}
    for wish in ("copy", "erase"):
        assert client.get(f"{PAGE}/{wish}").status_code == 405
        assert "on its way" in client.post(f"{PAGE}/{wish}").text
        assert eventually(lambda: len(sent(app)) > len(links))
        found = re.search(r"/confirm/[\w.]+", sent(app)[-1].text)
        assert found is not None
        links[wish] = found[0]

    copy = client.post(links["copy"])
    assert copy.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert [row["id"] for row in copy.json()["held"]["lead"]] == [7]
    assert client.post(links["copy"]).status_code == 410

    assert "cannot be undone" in client.get(links["erase"]).text
    assert "is erased" in client.post(links["erase"]).text
    with Session(engine) as session:
        assert session.scalar(select(lead.c.id)) is None
        assert session.scalar(select(suppression.c.reason)) == "objected"
    assert client.post(links["erase"]).status_code == 410
    assert client.get(PAGE).status_code == 404


def test_who_wants_no_click_counted_is_sent_on_and_not_noted(engine: Engine, app: App, client: TestClient) -> None:
    with Session(engine) as session, session.begin():
        session.execute(insert(link), {"id": 3, "url": "https://a.example/tarifs"})
        add_message(session, 12, 7)
    click = f"/c/{sign_click(KEY, 12, 3)}"
    client.get(click)
    client.post(PAGE, data=ALL | {"tracking": ""})

    assert client.get(click).headers["location"] == "https://a.example/tarifs"
    assert counts(app)["hit"] == 1

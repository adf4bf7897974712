"""leadflow.js and its door: nothing before consent, nothing from elsewhere, and a visitor is no proof of a person."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page
from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App, run_phase
from leadflow.links import read_arrival, sign_arrival, sign_click
from leadflow.models import identity, intake, lead, link, message
from leadflow.types import Phase

KEY = "k" * 32
VIEW = {"visitor": "c0ffee00", "event": "page_viewed", "path": "/tarifs"}


PAGE = """<!doctype html><title>x</title><form method="post"><button>Go</button></form><script>
  const door = location.hash.slice(1), script = document.createElement("script");
  document.forms[0].action = door + "/forms/quote";
  document.head.append(Object.assign(script, { src: door + "/leadflow.js" }));
</script>"""


class _Site(BaseHTTPRequestHandler):
    """A page of the company's own site, wherever it is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, *_told: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """Where the company's own site is."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def app(app: App, site: str) -> App:
    """The workspace of conftest, for which that is the site."""
    brand = replace(app.playbook.brand, site=site)
    return replace(app, playbook=replace(app.playbook, brand=brand))


def stored(app: App) -> list[dict[str, Any]]:
    with Session(app.engine) as session:
        return [json.loads(body) for body in session.scalars(select(intake.c.body).order_by(intake.c.id))]


def a_mail(app: App) -> None:
    """Message 12 to lead 7."""
    now = datetime.now(UTC)
    row = {"id": 12, "lead_id": 7, "address_id": 7, "email": "welcome", "language": "en", "purpose": "nurture"}
    dates = {"planned_at": now, "send_at": now, "expires_at": now}
    with Session(app.engine) as session, session.begin():
        needed = {c.name: "" for c in message.c if not c.nullable and c.default is None and c.server_default is None}
        session.execute(insert(message), {**needed, **row, **dates})


def test_a_page_view_is_kept_with_an_id_of_its_own_each_time(app: App, client: TestClient, site: str) -> None:
    for _ in range(2):
        answer = client.post("/t", content=json.dumps(VIEW), headers={"Origin": site})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, site)
    first, second = stored(app)
    assert first.pop("id") != second.pop("id")
    assert first == second == VIEW


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "https://a.example"])
def test_only_pages_of_the_site_are_heard(app: App, client: TestClient, origin: str | None) -> None:
    answer = client.post("/t", json=VIEW, headers={} if origin is None else {"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert stored(app) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_whoever_is_not_to_be_followed_is_not(app: App, client: TestClient, site: str, header: str) -> None:
    assert client.post("/t", json=VIEW, headers={"Origin": site, header: "1"}).status_code == 204
    assert stored(app) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({**VIEW, "event": "demo_requested"}, 422),
        ({**VIEW, "event": ["page_viewed"]}, 422),
        ({**VIEW, "email": "p7@x.example"}, 422),
        ({**VIEW, "consent": ["nurture"]}, 422),
        ({**VIEW, "visitor": "x"}, 422),
        ({**VIEW, "pathh": "/x"}, 422),
        ([VIEW], 422),
        ({**VIEW, "path": "x" * 9000}, 413),
    ],
)
def test_what_a_browser_cannot_know_is_refused(app: App, client: TestClient, site: str, told: Any, status: int) -> None:
    assert client.post("/t", json=told, headers={"Origin": site}).status_code == status
    assert stored(app) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_script_is_small_and_sets_no_cookie(client: TestClient) -> None:
    answer = client.get("/leadflow.js")
    assert len(answer.content) < 3_000
    assert b"cookie" not in answer.content
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-type"].startswith("text/javascript")


def test_a_click_takes_a_word_along_to_the_site_and_nowhere_else(app: App, client: TestClient, site: str) -> None:
    a_mail(app)
    with Session(app.engine) as session, session.begin():
        places = [{"id": 4, "url": f"{site}/tarifs?from=mail#x"}, {"id": 5, "url": "https://elsewhere.example/#x"}]
        session.execute(insert(link), places)
    place = urlsplit(client.get(f"/c/{sign_click(KEY, 12, 4)}").headers["location"])
    assert (place.path, place.fragment) == ("/tarifs", "x")
    asked = dict(parse_qsl(place.query))
    assert (asked["from"], read_arrival(KEY, asked["lf"], datetime.now(UTC))) == ("mail", 7)
    assert client.get(f"/c/{sign_click(KEY, 12, 5)}").headers["location"] == "https://elsewhere.example/#x"


def shown(page: Page, site: str, door: str, path: str = "/tarifs") -> None:
    """Open a page of the site that has the script, and a form of ours."""
    page.goto(f"{site}{path}#{door}")
    page.wait_for_function("!!window.leadflow", timeout=5000)
    page.wait_for_load_state("networkidle")


@pytest.mark.browser
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_is_kept_before_consent_and_everything_after_it(app: App, serving: str, site: str, page: Page) -> None:
    word = sign_arrival(KEY, 7, datetime.now(UTC))
    shown(page, site, serving, f"/tarifs?a=1&lf={word}&utm_source=News")
    assert page.url == f"{site}/tarifs?a=1&utm_source=News#{serving}"
    assert (page.evaluate("localStorage.length"), page.evaluate("document.cookie"), stored(app)) == (0, "", [])
    with page.expect_request_finished(lambda request: request.url.endswith("/t")):
        page.evaluate("leadflow('consent', true)")
    with page.expect_request_finished(lambda request: request.url.endswith("/t")):
        page.evaluate("leadflow('event', 'content_downloaded', {asset: 'guide'})")
    visitor = page.evaluate("leadflow.visitor")
    assert page.evaluate("localStorage.leadflow") == visitor
    first, second = stored(app)
    assert (first["visitor"], first["path"], first["source_of"]) == (visitor, "/tarifs", {"utm_source": "News"})
    assert (second["asset"], second["click"]) == ("guide", word)
    run_phase(app, Phase.CAPTURE, datetime.now(UTC) + timedelta(seconds=1))
    with Session(app.engine) as session:
        owner = session.execute(select(identity.c.lead_id, identity.c.by_click).where(identity.c.value == visitor))
        assert owner.one() == (7, True)
        assert (session.scalar(select(lead.c.attributes)) or {})["first_source"] == "news"
    page.evaluate("leadflow('consent', false)")
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.browser
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_browser_that_says_no_keeps_and_tells_nothing(app: App, serving: str, site: str, page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    shown(page, site, serving)
    page.evaluate("leadflow('consent', true)")
    page.evaluate("leadflow('event', 'content_downloaded')")
    page.wait_for_load_state("networkidle")
    assert (page.evaluate("localStorage.length"), stored(app)) == (0, [])


@pytest.mark.browser
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_form_of_the_site_says_who_its_visitor_is_once_there_is_consent(serving: str, site: str, page: Page) -> None:
    shown(page, site, serving, "/?utm_source=news")
    page.evaluate("document.forms[0].addEventListener('submit', (event) => event.preventDefault())")
    sent = "Object.fromEntries(new FormData(document.forms[0]))"
    page.click("button")
    assert page.evaluate(sent) == {"utm_source": "news"}
    page.evaluate("leadflow('consent', true)")
    page.click("button")
    assert page.evaluate(sent) == {"utm_source": "news", "visitor": page.evaluate("leadflow.visitor")}

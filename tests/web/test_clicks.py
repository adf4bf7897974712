"""The click door: a raw hit is kept, the stored page is where it leads, and nothing else is."""

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import HIDDEN, sign_click, sign_unsubscribe
from leadflow.models import event, hit, link

KEY = "k" * 32


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_click_is_kept_as_it_came_and_sent_on(app: App, client: TestClient, method: str) -> None:
    answer = client.request(method, f"/c/{sign_click(KEY, 12, 3)}", headers={"User-Agent": "Scanner\t1"})
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://a.example/tarifs?from=mail"
    with Session(app.engine) as session:
        row = session.execute(select(hit.c.message_id, hit.c.link_id, hit.c.method, hit.c.user_agent)).one()
        assert row == (12, 3, method, "Scanner1")
        assert session.scalar(select(func.count()).select_from(event)) == 0


@pytest.mark.parametrize(
    "said", [{"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"}, {"X-Purpose": "preview"}]
)
def test_a_browser_that_fetches_ahead_is_kept_as_one(app: App, client: TestClient, said: dict[str, str]) -> None:
    client.get(f"/c/{sign_click(KEY, 12, 3)}", headers=said)
    client.get(f"/c/{sign_click(KEY, 12, 3)}")
    with Session(app.engine) as session:
        assert session.scalars(select(hit.c.ahead).order_by(hit.c.id)).all() == [True, False]


def test_the_link_that_nobody_sees_leads_to_the_site_and_is_kept(app: App, client: TestClient) -> None:
    with Session(app.engine) as session, session.begin():
        session.execute(insert(link), {"id": 99, "url": HIDDEN})
    answer = client.get(f"/c/{sign_click(KEY, 12, 99)}")
    assert answer.headers["location"].rstrip("/") == app.playbook.brand.site.rstrip("/")
    with Session(app.engine) as session:
        assert session.scalars(select(hit.c.link_id)).all() == [99]


@pytest.mark.parametrize(
    ("asked_from", "kept"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2::7", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("testclient", None),
    ],
)
def test_of_an_address_only_the_network_is_kept(app: App, asked_from: str, kept: str | None) -> None:
    from leadflow.web.site import create_site

    with TestClient(create_site(app), client=(asked_from, 50000), follow_redirects=False) as client:
        client.get(f"/c/{sign_click(KEY, 12, 3)}")
    with Session(app.engine) as session:
        assert session.scalars(select(hit.c.ip)).all() == [kept]


@pytest.mark.parametrize(
    "token", ["x", sign_click("other", 12, 3), sign_unsubscribe(KEY, 12, "x"), sign_click(KEY, 1, 9)]
)
def test_a_link_that_leads_nowhere_is_a_page_and_no_hit(app: App, client: TestClient, token: str) -> None:
    answer = client.get(f"/c/{token}", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "Open the email again" in answer.text
    with Session(app.engine) as session:
        assert session.scalar(select(func.count()).select_from(hit)) == 0

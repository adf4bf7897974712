"""The unsubscribe door: GET shows, POST acts at once, whoever asks and however often."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_click, sign_unsubscribe
from leadflow.models import consent, metadata, suppression

KEY = "k" * 32
TOKEN = sign_unsubscribe(KEY, 7, "nurture")


def counts(app: App) -> dict[str, int]:
    """Rows of every table."""
    with Session(app.engine) as session:
        tables = metadata.sorted_tables
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_the_page_changes_no_row(app: App, client: TestClient, method: str) -> None:
    before = counts(app)
    answer = client.request(method, f"/u/{TOKEN}")
    assert answer.status_code == 200
    assert counts(app) == before


def test_the_page_speaks_the_readers_language(client: TestClient) -> None:
    answer = client.get(f"/u/{TOKEN}", headers={"Accept-Language": "fr"})
    assert '<html lang="en"' in answer.text
    assert "<button" in answer.text


def test_a_stranger_to_us_is_addressed_in_the_browsers_language(client: TestClient) -> None:
    token = sign_unsubscribe(KEY, 999, "nurture")
    assert '<html lang="fr"' in client.get(f"/u/{token}", headers={"Accept-Language": "fr-BE,en"}).text


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b""},
    ],
)
def test_one_post_takes_the_reader_out_without_cookie_or_redirect(
    app: App, client: TestClient, body: dict[str, Any]
) -> None:
    answer = client.post(f"/u/{TOKEN}", **body)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    with Session(app.engine) as session:
        assert session.execute(select(suppression.c.address_hash, suppression.c.reason)).one() == ("h7", "unsubscribed")
        told = session.execute(select(consent.c.lead_id, consent.c.purpose, consent.c.state)).one()
        assert told == (7, "nurture", "withdrawn")


def test_saying_no_again_is_fine_and_changes_nothing(app: App, client: TestClient) -> None:
    client.post(f"/u/{TOKEN}")
    before = counts(app)
    assert client.post(f"/u/{TOKEN}").status_code == 200
    assert counts(app) == before


@pytest.mark.parametrize("token", ["x", sign_unsubscribe("other", 7, "nurture"), sign_click(KEY, 7, 3), "%00"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_we_did_not_sign_says_so_in_plain_words(
    app: App, client: TestClient, method: str, token: str
) -> None:
    answer = client.request(method, f"/u/{token}", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "This link does not work" in answer.text
    assert counts(app)["suppression"] == 0


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    assert client.post(f"/u/{TOKEN}", content=b"x" * 20_000).status_code == 413


def test_every_answer_carries_the_headers_that_keep_others_out(client: TestClient) -> None:
    for path in (f"/u/{TOKEN}", "/u/x", "/healthz", "/nowhere"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"

"""What holds for every door: whom it answers to, what a browser is told, and that looking changes nothing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_answer, sign_click, sign_unsubscribe
from leadflow.models import hit, metadata
from leadflow.web.site import DOORS, create_site
from tests.soak import SOAK

KEY = "k" * 32
#: The whole number under `make soak`.
TIMES = 10_000 if SOAK else 400
#: What browsers and mailboxes send when they fetch a page nobody asked for yet.
PREFETCHING: tuple[dict[str, str], ...] = (
    {},
    {"Sec-Purpose": "prefetch"},
    {"Purpose": "prefetch"},
    {"X-Moz": "prefetch"},
)


@pytest.fixture
def public(app: App) -> Iterator[TestClient]:
    """The door of a workspace that is reached by TLS."""
    settings = app.settings.model_copy(update={"public_url": "https://go.agency.example", "hosts": ""})
    site = create_site(replace(app, settings=settings))
    with TestClient(site, base_url="https://go.agency.example", follow_redirects=False) as client:
        yield client


def test_a_door_behind_tls_is_to_be_asked_by_tls_only(public: TestClient, client: TestClient) -> None:
    assert "max-age=31536000" in public.get("/healthz").headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in client.get("/healthz").headers


@pytest.mark.parametrize("name", ["evil.example", "go.agency.example.evil.example", "go.agency.example@evil.example"])
def test_a_name_that_is_not_ours_is_not_answered_to(public: TestClient, name: str) -> None:
    assert public.get("/healthz", headers={"Host": name}).status_code == 400


@pytest.mark.parametrize("name", ["go.agency.example", "localhost:8380", "127.0.0.1:8380"])
def test_our_public_name_and_this_machine_are_answered_to(public: TestClient, name: str) -> None:
    assert public.get("/healthz", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_whoever_types_the_name_alone_reads_a_page(client: TestClient) -> None:
    answer = client.get("/", headers={"Accept-Language": "en"})
    assert (answer.status_code, "There is no such page" in answer.text) == (404, True)


def rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        tables = [table for table in metadata.sorted_tables if table is not hit]
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in tables}


def addresses() -> list[str]:
    """Every public address that may be fetched, with a word that is good wherever it takes one."""
    words = {
        "/u/{token}": "/u/" + sign_unsubscribe(KEY, 7, "nurture"),
        "/c/{token}": "/c/" + sign_click(KEY, 1, 3),
        "/h/{token}": "/h/" + sign_answer(KEY, 1, "Marc", "accept"),
    }
    routes = [route for router in DOORS for route in router.routes if isinstance(route, APIRoute)]
    return [words.get(route.path, route.path) for route in routes if "GET" in (route.methods or ())]


def test_fetching_whatever_is_public_ten_thousand_times_changes_nothing(app: App, client: TestClient) -> None:
    before, asked = rows(app.engine), 0
    while asked < TIMES:
        for address in addresses():
            for headers in PREFETCHING:
                for method in ("GET", "HEAD"):
                    assert client.request(method, address, headers=headers).status_code < 500
                    asked += 1
    assert rows(app.engine) == before

"""What holds for every door: whom it answers to, what a browser is told, and that looking changes nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_download
from leadflow.models import hit, metadata
from leadflow.types import micros
from leadflow.web.site import create_site
from tests.soak import SOAK
from tests.web.direct import asked_directly
from tests.web.wide import KEY, addresses, open_wide

#: The whole number under `make soak`.
TIMES = 10_000 if SOAK else 1_000
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


def opened() -> str:
    """The word of whoever has filled in the form."""
    return sign_download(KEY, "letter", micros(datetime.now(UTC) + timedelta(days=1)))


@pytest.mark.no_cover
@pytest.mark.soak
def test_fetching_whatever_is_public_ten_thousand_times_changes_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = [
        *addresses("GET"),
        "/f/letter?embed=1&who=x",
        f"/f/letter/thanks?got={opened()}",
        f"/p/guide?got={opened()}",
    ]
    ways = [(where, method, told) for where in fetched for method in ("GET", "HEAD") for told in PREFETCHING]
    app = open_wide(engine, tmp_path)
    before, answers = rows(engine), Counter[int]()
    with asked_directly(monkeypatch, create_site(app)) as [site]:
        for where, method, told in islice(cycle(ways), TIMES):
            answers[site.ask(method, where, headers=told).status] += 1
    # Every word is good: nothing was left closed.
    assert answers.keys() <= {200, 302}
    assert answers[200] > answers[302] > 0
    assert rows(engine) == before

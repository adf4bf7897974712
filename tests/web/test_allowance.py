"""How often a door is asked: by one key, by one network, by whoever tries keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.intake.api_keys import ApiScope, new_key
from leadflow.models import intake
from leadflow.web.allowance import Allowance
from leadflow.web.site import create_site

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
VIEW = {"event": "page_viewed", "email": "p7@x.example", "path": "/tarifs"}


@contextmanager
def asking(app: App, host: str) -> Iterator[TestClient]:
    """The site, asked from `host`."""
    with TestClient(create_site(app), client=(host, 50_000)) as client:
        yield client


def stored(app: App) -> int:
    with Session(app.engine) as session:
        return session.scalar(select(func.count()).select_from(intake)) or 0


def test_a_key_that_asks_too_often_is_told_when_to_come_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.settings, "api_per_minute", 3)
    with Session(app.engine) as session, session.begin():
        keys = [new_key(session, name, list(ApiScope), datetime.now(UTC)) for name in ("shop", "crm")]
    with asking(app, "testclient") as client:

        def push(key: str) -> int:
            answer = client.post("/v1/events", json=VIEW, headers={"Authorization": f"Bearer {key}"})
            assert (answer.status_code == 429) == ("Retry-After" in answer.headers)
            return int(answer.status_code)

        assert [push(keys[0]) for _ in range(4)] == [202, 202, 202, 429]
        # Another's bucket is its own.
        assert push(keys[1]) == 202
    assert stored(app) == 4


def test_whoever_tries_keys_has_to_wait(app: App) -> None:
    with asking(app, "90.3.4.7") as client:
        told = [client.post("/v1/leads", json={}, headers={"Authorization": f"Bearer {n}"}) for n in range(31)]
    assert [answer.status_code for answer in told] == [401] * 30 + [429]
    assert 0 < int(told[-1].headers["Retry-After"]) <= 2


def test_a_network_that_tells_more_than_people_do_is_refused_and_the_others_are_not(app: App) -> None:
    site = app.playbook.brand.site.rstrip("/")
    act = {"visitor": "c0ffee00", "event": "page_viewed", "path": "/x"}
    with asking(app, "90.3.4.7") as client:
        bucket = Allowance(burst=2, per_minute=1)
        client.app.state.allowances["t"] = bucket  # type: ignore[attr-defined]
        told = [client.post("/t", json=act, headers={"Origin": site}) for _ in range(3)]
    assert [answer.status_code for answer in told] == [204, 204, 429]
    # The page's own script may read why.
    assert told[-1].headers["Access-Control-Allow-Origin"] == site
    assert 0 < int(told[-1].headers["Retry-After"]) <= 61
    with asking(app, "185.2.3.4") as client:
        client.app.state.allowances["t"] = bucket  # type: ignore[attr-defined]
        assert client.post("/t", json=act, headers={"Origin": site}).status_code == 204
    assert stored(app) == 3

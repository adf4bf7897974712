"""Visitors read the files of this minute, and the last good ones while there is a mistake in them."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.errors import PlaybookError
from leadflow.web import fresh
from tests.web.books import a_form, both, with_forms


@pytest.fixture
def app(engine: Engine) -> App:
    return with_forms(engine, a_form())


def test_a_saved_form_is_shown_and_a_broken_one_is_not(
    app: App, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "_PAUSE", 0)
    changed = replace(app, playbook=replace(app.playbook, forms={"letter": a_form(title=both("Another title"))}))
    monkeypatch.setattr(fresh, "refresh", lambda _app: changed)
    assert "Another title" in client.get("/f/letter").text

    def broken(_app: App) -> App:
        raise PlaybookError([])

    monkeypatch.setattr(fresh, "refresh", broken)
    assert "Another title" in client.get("/f/letter").text


def test_files_are_looked_at_once_in_a_while(app: App, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[App] = []

    def look(app: App) -> App:
        looks.append(app)
        return app

    monkeypatch.setattr(fresh, "refresh", look)
    for _visit in range(3):
        assert client.get("/f/letter").status_code == 200
    assert looks == [app]

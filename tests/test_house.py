"""The fixtures themselves: both databases are real, empty and apart, and no test leaves this machine."""

import socket
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.orm import Session

from leadflow.models import lead, metadata
from tests.conftest import OutsideWorldError


def test_each_database_is_of_its_kind(database: str, engine: Engine) -> None:
    assert {"sqlite": "sqlite", "postgres": "postgresql"}[database] == engine.dialect.name


def test_a_fresh_database_has_every_table_and_no_row(engine: Engine, session: Session) -> None:
    assert set(metadata.tables) <= set(inspect(engine).get_table_names())
    assert session.scalar(select(func.count()).select_from(lead)) == 0


def test_postgres_is_recent_and_the_tests_do_not_wait_for_its_disk(postgres_url: str) -> None:
    from leadflow.db import make_engine

    engine = make_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW fsync")) == "off"
        assert int(connection.scalar(text("SHOW server_version_num")) or 0) >= 150000
    engine.dispose()


def test_a_host_outside_is_refused() -> None:
    with pytest.raises(OutsideWorldError):
        urllib.request.urlopen("http://example.org", timeout=1)


def test_loopback_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


@pytest.mark.browser
def test_the_browser_opens_a_file_and_nothing_outside(page: Page, tmp_path: Path) -> None:
    mail = tmp_path / "mail.html"
    mail.write_text('<h1>Bonjour</h1><img src="http://example.org/pixel.png">')
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(mail.as_uri())
    assert page.locator("h1").inner_text() == "Bonjour"
    assert page.evaluate("innerWidth") == 375
    assert page.evaluate("document.images[0].naturalWidth") == 0

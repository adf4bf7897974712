"""A site over a fresh database, and a client that follows no redirect."""

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.models import link
from leadflow.web.site import create_site
from tests.apps import an_app
from tests.build import add_lead


@pytest.fixture
def app(engine: Engine) -> App:
    """An opened workspace with one lead, number 7, who reads English, and one link, number 3."""
    with Session(engine) as session, session.begin():
        add_lead(session, 7, language="en")
        session.execute(insert(link), {"id": 3, "url": "https://a.example/tarifs?from=mail"})
    return an_app(engine)


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """Asks the site as a browser without cookies would."""
    with TestClient(create_site(app), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def serving(app: App) -> Iterator[str]:
    """The site behind a real uvicorn; its address."""
    server = uvicorn.Server(uvicorn.Config(create_site(app), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()

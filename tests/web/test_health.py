"""`/healthz`: yes while the database answers, no when it does not."""

from dataclasses import replace

from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.db import make_engine
from leadflow.web.site import create_site


def test_a_process_with_its_database_is_healthy(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_process_without_its_database_says_so(app: App) -> None:
    lost = replace(app, engine=make_engine("sqlite://"))
    answer = TestClient(create_site(lost)).get("/healthz")
    assert answer.status_code == 503

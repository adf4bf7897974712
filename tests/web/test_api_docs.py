"""What the API says of itself: in the words of the workspace, true to what it answers, from no foreign host."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.intake.api_keys import ApiScope, new_key
from leadflow.web.openapi import EXAMPLES


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_example_is_taken_in_as_the_document_says(app: App, client: TestClient) -> None:
    with Session(app.engine) as session, session.begin():
        key = new_key(session, "docs", list(ApiScope), datetime.now(UTC))
    told = client.get("/v1/openapi.json").json()
    for path, door in told["paths"].items():
        said = door["post"]["responses"]["202"]["content"]["application/json"]["example"]
        for example in door["post"]["requestBody"]["content"]["application/json"]["examples"].values():
            answer = client.post(path, json=example["value"], headers={"Authorization": f"Bearer {key}"})
            assert (answer.status_code, answer.json()) == (202, said)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_document_speaks_of_this_workspace(app: App, client: TestClient) -> None:
    schemas = client.get("/v1/openapi.json").json()["components"]["schemas"]
    assert schemas["Event"]["properties"]["event"]["enum"] == sorted(app.playbook.events)
    assert schemas["Lead"]["properties"]["fields"]["properties"]["project"]["enum"][0] == "new_site"
    for name, example in EXAMPLES.items():
        assert set(example) <= set(schemas[name]["properties"])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_page_shows_each_door_and_loads_nothing(client: TestClient) -> None:
    page = client.get("/v1/docs")
    assert page.status_code == 200
    assert [f"POST /v1/{name}" in page.text for name in ("events", "leads", "deals")] == [True] * 3
    assert not re.search(r"<(script|link|img|iframe)|url\(|@import", page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]

"""A social tool's webhook: a few lines of config say which of its words mean who, where and when."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.intake.api_keys import ApiScope, new_key
from leadflow.models import intake
from leadflow.playbook.model import SocialTool
from leadflow.web.site import create_site

TOOL = SocialTool(name="megaphone", items="data.list", email="who.mail", id="id", at="t", network="net")
LIKED = {"id": 4, "who": {"mail": "p7@x.example"}, "net": "LinkedIn", "t": 1_774_000_000_000}


@pytest.fixture
def key(app: App) -> str:
    """A key for the tool's address."""
    with Session(app.engine) as session, session.begin():
        return new_key(session, "megaphone", [ApiScope.SOCIAL], datetime.now(UTC))


@pytest.fixture
def door(app: App) -> Iterator[TestClient]:
    """The site of a workspace that knows the tool."""
    known = replace(app, playbook=replace(app.playbook, social={"megaphone": TOOL}))
    with TestClient(create_site(known), raise_server_exceptions=False) as client:
        yield client


def stored(app: App) -> list[dict[str, Any]]:
    with Session(app.engine) as session:
        return [json.loads(body) for body in session.scalars(select(intake.c.body))]


def test_who_engaged_is_told_as_an_act_and_the_rest_is_no_error(app: App, door: TestClient, key: str) -> None:
    told = {"data": {"list": [LIKED, {"id": 5, "who": {}}, 7, {**LIKED, "id": 6, "who": {"mail": "no"}}]}}
    answer = door.post(f"/hooks/social/megaphone/{key}", json=told)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "ignored": 3})
    assert stored(app) == [
        {
            "event": "social_engaged",
            "email": "p7@x.example",
            "network": "linkedin",
            "id": "megaphone:4",
            "at": "2026-03-20T09:46:40+00:00",
        }
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_neither_a_wrong_key_nor_an_unknown_tool_is_heard(app: App, door: TestClient, key: str) -> None:
    assert door.post("/hooks/social/megaphone/wrong", json=LIKED).status_code == 401
    assert door.post(f"/hooks/social/other/{key}", json=LIKED).status_code == 404
    assert door.post(f"/hooks/social/megaphone/{key}", content=b"[" * 99_999).status_code == 400
    assert door.post("/v1/events", json=[], headers={"Authorization": f"Bearer {key}"}).status_code == 403
    assert stored(app) == []

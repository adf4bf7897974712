"""The API answers as its own OpenAPI document says, to bodies the document allows and to bodies it does not."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok
from sqlalchemy import Engine

from leadflow.web.lane import Lane
from leadflow.web.site import create_site
from tests.soak import ON_ONE_DATABASE, SOAK
from tests.web.direct import Direct, asked_directly
from tests.web.wide import API_KEY, open_wide

Operation = APIOperation[Any, Any, Any, Any]
HELD = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def site(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Direct]:
    """The API of a workspace; what it stores waits for a sweep."""
    monkeypatch.setattr(Lane, "wake", lambda _lane: None)
    with asked_directly(monkeypatch, create_site(open_wide(engine, tmp_path))) as [site]:
        yield site


def answered(site: Direct, case: Case[Any]) -> httpx.Response:
    told = case.as_transport_kwargs(base_url="http://testserver")
    headers = {**told["headers"], "Authorization": f"Bearer {API_KEY}"}
    asked = httpx.Request(told["method"], told["url"], headers=headers, content=told.get("data"), **_json(told))
    answer = site.ask(asked.method, asked.url.path, asked.read(), dict(asked.headers))
    said = httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=asked)
    said.elapsed = timedelta()
    return said


def _json(told: dict[str, Any]) -> dict[str, Any]:
    return {"json": told["json"]} if "json" in told else {}


@pytest.fixture
def operations(site: Direct) -> list[Operation]:
    """What the document offers."""
    document = json.loads(site.ask("GET", "/v1/openapi.json").body)
    offered = schemathesis.openapi.from_dict(document).get_all_operations()
    return [found.ok() for found in offered if isinstance(found, Ok)]


@ON_ONE_DATABASE
@pytest.mark.no_cover
@settings(max_examples=2_000 if SOAK else 60)
@given(data=st.data())
def test_every_answer_is_one_the_document_knows(site: Direct, operations: list[Operation], data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(operations))
    case = data.draw(operation.as_strategy(data.draw(st.sampled_from(GenerationMode))))
    case.validate_response(answered(site, case), checks=HELD)

"""A form as a visitor meets it: shown, filled in, kept in `intake`, and taken in by capture as a person who agreed."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_form
from leadflow.models import consent, event, intake, lead
from leadflow.pipeline.capture import capture_intake
from leadflow.types import EVERYONE, micros
from tests.web.books import a_form, with_forms

LETTER = {"email": "Ana@b.example", "first_name": "Ana", "consent.newsletter": "yes", "lang": "en"}


@pytest.fixture
def app(engine: Engine) -> App:
    return with_forms(engine, a_form())


def stamped(app: App, form: str = "letter", ago: float = 60) -> dict[str, str]:
    """What the page of a form carries that was shown some seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=ago)
    return {"_at": sign_form(app.settings.key(), form, micros(at))}


def kept(app: App) -> list[dict[str, Any]]:
    with Session(app.engine) as session:
        return [json.loads(body) for body in session.scalars(select(intake.c.body).where(intake.c.kind == "form"))]


def test_a_form_is_shown_filled_in_and_becomes_a_person_who_agreed(app: App, client: TestClient) -> None:
    page = client.get("/f/letter?lang=en&utm_source=fair")
    carried = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    assert (page.status_code, carried["utm_source"], carried["lang"]) == (200, "fair", "en")

    answer = client.post("/forms/letter", data={**carried, **LETTER, **stamped(app)})
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/f/letter/thanks")

    now = datetime.now(UTC) + timedelta(seconds=1)
    with Session(app.engine) as session, session.begin():
        capture_intake(session, app.playbook, now, EVERYONE, key=app.settings.key())
        person = session.execute(select(lead).where(lead.c.first_name == "Ana")).one()
        agreed = session.execute(select(consent).where(consent.c.lead_id == person.id)).one()
        acts = session.scalars(select(event.c.kind).where(event.c.lead_id == person.id)).all()
    assert (person.language, person.source, acts) == ("en", "letter", ["newsletter_joined"])
    assert (agreed.purpose, agreed.state, agreed.method, agreed.page) == ("newsletter", "given", "form", "/f/letter")
    assert agreed.wording_version == "letter.en@000000"
    assert len(agreed.wording_hash) == 64

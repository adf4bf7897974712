"""Helpers of a large delivery: real processes at the same outbox, whose counts are part of ours."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.app import deliver_due
from leadflow.app.crew import crew_of
from leadflow.app.workspace import open_as
from leadflow.models import message
from leadflow.pipeline import deliver as deliver_module
from leadflow.settings import Settings
from leadflow.types import EVERYONE, Leads
from tests.apps import an_app
from tests.build import NIGHT
from tests.esp.worlds import sendgrid_world
from tests.pipeline.mails import add_message

_ROOT = Path(__file__).parents[1]
_MAILS = 250


@pytest.mark.slow
def test_two_processes_send_what_is_due_once_each(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config", "segments", "templates", "lists"):
        shutil.copytree(_ROOT / name, tmp_path / name)
    monkeypatch.setattr(deliver_module, "CREW_FROM", 100)
    with sendgrid_world() as world:
        settings = Settings(
            workspace=tmp_path,
            esp="sendgrid",
            sendgrid_url=world.url,
            sendgrid_api_key=SecretStr("SG.key"),
            database_url=database_url,
            secret=SecretStr("k" * 32),
            processes=2,
        )
        app = open_as(settings)
        with Session(app.engine) as session, session.begin():
            for number in range(1, _MAILS + 1):
                add_message(session, number, email="welcome", language="fr")
        outcome = deliver_due(app, NIGHT)
        asked = Counter(body["personalizations"][0]["custom_args"]["lf_message"] for body in world.bodies)
        with Session(app.engine) as session:
            states = Counter(session.scalars(select(message.c.state)))
        app.engine.dispose()
    assert (states, len(asked), set(asked.values())) == ({"accepted": _MAILS}, _MAILS, {1})
    assert (outcome.read, outcome.counts["accepted"], outcome.counts["waiting"]) == (_MAILS, _MAILS, 0)


def test_only_a_delivery_that_others_can_open_has_helpers(engine: Engine) -> None:
    assert crew_of(an_app(engine), NIGHT, EVERYONE) is None
    assert crew_of(an_app(engine), NIGHT, Leads((1,))) is None

"""Reconciliation in a workspace: bound to the provider's log, first thing of upkeep, refused with a grace too short."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.app import open_app, run_upkeep
from leadflow.errors import SettingsError
from leadflow.esp.memory import MemoryProvider
from leadflow.esp.sendgrid_log import SendGridLog
from leadflow.playbook.example import copy_example
from tests.apps import an_app
from tests.build import NIGHT
from tests.pipeline.doubts import Log, add_doubt, book, pass_minutes, states


def test_upkeep_sends_in_the_same_run_what_is_found_to_have_never_left(engine: Engine, session: Session) -> None:
    add_doubt(session, 1)
    add_doubt(session, 2)
    session.commit()
    app = an_app(engine, book=book())
    app = replace(app, ports=replace(app.ports, log=Log({"a2": "sg-2"})))
    first = run_upkeep(app, NIGHT)
    assert (first["reconcile_found"], first["reconcile_denied"], first["delivered"]) == (1, 1, 0)
    pass_minutes(engine, 31)
    second = run_upkeep(app, NIGHT)
    assert (second["reconcile_planned_again"], second["delivered"]) == (1, 1)
    provider = app.ports.email
    assert isinstance(provider, MemoryProvider)
    assert [mail.message_id for mail in provider.sent] == [1]
    assert states(engine, [1, 2]) == ["accepted", "accepted"]


def test_a_workspace_on_sendgrid_asks_its_log_and_refuses_a_grace_too_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_example(tmp_path)
    monkeypatch.setenv("LEADFLOW_ESP", "sendgrid")
    monkeypatch.setenv("LEADFLOW_SENDGRID_API_KEY", "SG.key")
    app = open_app(tmp_path)
    assert isinstance(app.ports.log, SendGridLog)
    app.ports.log.close()
    app.engine.dispose()
    settings = tmp_path / "config" / "leadflow.yaml"
    assert "grace: 15 minutes" in settings.read_text()
    settings.write_text(settings.read_text().replace("grace: 15 minutes", "grace: 8 minutes"))
    with pytest.raises(SettingsError, match="8 minutes} is too short"):
        open_app(tmp_path)

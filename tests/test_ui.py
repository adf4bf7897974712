"""`leadflow ui`: says where runs are seen, and starts the page only when nobody has."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadflow.cli import serve
from leadflow.cli.main import app
from leadflow.scheduler import server


def test_a_server_that_runs_is_pointed_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "var" / "prefect"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps({"pid": 1, "url": "http://127.0.0.1:4242"}))
    monkeypatch.setattr(server, "healthy", lambda _server: True)
    if not app.registered_commands:
        serve.add_to(app)
    said = CliRunner().invoke(app, ["ui", "-w", str(tmp_path)])
    assert said.exit_code == 0
    assert "http://127.0.0.1:4242/runs" in said.output

"""What tests of intake share: its commands on a database of the test, the statements a session executed."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session
from typer import Typer
from typer.testing import CliRunner, Result

from leadflow.cli import intake as commands
from tests.build import playbook

GROUNDS = ("--basis", "legitimate_interest", "--source", "fair", "--informed-on", "2026-02-13")


class Cli:
    """The commands of intake on a database of the test."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self._app = Typer()
        commands.add_to(self._app)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(self._app, list(words))

    def load(self, content: str | bytes, *options: str, name: str = "leads.csv") -> Result:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.run("import", str(path), *options)

    def all(self, statement: Any) -> list[Any]:
        with Session(self.engine) as session:
            return list(session.execute(statement).all())

    def count(self, table: Any) -> int:
        return int(self.all(select(func.count()).select_from(table))[0][0])

    @property
    def rejects(self) -> Path:
        return self.folder / "leads.rejects.csv"


@pytest.fixture
def cli(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    settings = SimpleNamespace(key=lambda: "secret", simulated=False)
    opened = SimpleNamespace(engine=engine, playbook=playbook(), settings=settings)
    monkeypatch.setattr(commands, "opened", lambda _workspace: opened)
    monkeypatch.setattr("leadflow.cli.common.console._width", 200)
    return Cli(engine, tmp_path)


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    """The text of every statement the engine executes from here on."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)

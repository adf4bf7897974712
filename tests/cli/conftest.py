"""Commands as they are typed, on a workspace of one's own."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from leadflow.app import open_app
from leadflow.cli import main
from leadflow.cli.common import complaints, console
from leadflow.playbook.example import copy_example

Types = Callable[..., Result]


@cache
def commands() -> Typer:
    """The whole of `leadflow`."""
    main._gather()
    return main.app


@pytest.fixture(scope="session")
def empty_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated copy of the example with an empty database."""
    folder = tmp_path_factory.mktemp("cli") / "workspace"
    copy_example(folder)
    (folder / ".env").write_text("LEADFLOW_SIMULATED=true\n")
    open_app(folder).engine.dispose()
    return folder


@pytest.fixture
def place(empty_workspace: Path, tmp_path: Path) -> Path:
    """A workspace that a test may change."""
    return Path(shutil.copytree(empty_workspace, tmp_path / "place"))


@pytest.fixture
def types(place: Path, monkeypatch: pytest.MonkeyPatch) -> Types:
    """`leadflow …` in that workspace; an exception that gets out is the test's."""
    monkeypatch.setenv("COLUMNS", "200")
    # Ours read COLUMNS when they were made, which another test may have brought about.
    monkeypatch.setattr(console, "_width", 200)
    monkeypatch.setattr(complaints, "_width", 200)

    def types(*words: str, input: str | None = None) -> Result:
        return CliRunner().invoke(commands(), [*words, "--workspace", str(place)], input=input, catch_exceptions=False)

    return types

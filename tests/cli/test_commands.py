"""What all commands have in common."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tests.cli.conftest import Types, commands


def every_command() -> Iterator[tuple[str, Any]]:
    waiting: list[tuple[str, Any]] = [("leadflow", typer.main.get_command(commands()))]
    while waiting:
        name, command = waiting.pop()
        parts = getattr(command, "commands", None)
        if parts is None:
            yield name, command
        else:
            waiting += [(f"{name} {part}", one) for part, one in parts.items()]


EVERY = [pytest.param(name, command, id=name) for name, command in sorted(every_command(), key=lambda one: one[0])]


@pytest.mark.parametrize(("name", "command"), EVERY)
def test_every_command_takes_a_workspace_and_says_what_it_does(name: str, command: Any) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    # `init` makes the workspace it is given.
    assert name == "leadflow init" or {"--workspace", "-w"} <= options
    assert command.help


def test_the_commands_of_the_issue_are_all_there() -> None:
    names = {name.removeprefix("leadflow ") for name, _command in every_command()}
    assert {"init", "check", "import", "replay", "run", "serve", "why", "plan", "report", "schema", "demo"} <= names


def test_a_day_that_is_none_is_said(types: Types) -> None:
    done = types("plan", "--at", "2026-02-30")
    assert (done.exit_code, done.stderr) == (
        2,
        "--at 2026-02-30: write a date such as 2026-03-24 or 2026-03-24T09:00\n",
    )


def test_a_folder_that_is_no_workspace_is_said_without_a_traceback(tmp_path: Path) -> None:
    for command in (["check"], ["run"], ["plan"], ["report"], ["schema"], ["why", "a@b.example"]):
        done = CliRunner().invoke(commands(), [*command, "--workspace", str(tmp_path / "none")], catch_exceptions=False)
        assert done.exit_code == 2, command
        assert "config" in done.output, command
    assert not (tmp_path / "none").exists()

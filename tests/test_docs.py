"""The tutorial is true: its files are written, its commands typed, and what it shows is what they print."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadflow.cli import main
from leadflow.cli.common import console

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks() -> Iterator[tuple[str, str]]:
    """The blocks a reader types: `console` (a `$` before each command) and `yaml` (its path in the first line)."""
    for found in _BLOCK.finditer(TUTORIAL.read_text(encoding="utf-8")):
        yield found[1], found[2]


def typed(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block with the lines shown below it."""
    for part in block.split("$ ")[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def squeezed(text: str) -> str:
    """Words without the spaces that lay a table out."""
    return " ".join(text.split())


def printed_by(command: str) -> str:
    """What a command of leadflow prints; one that fails says `|| true`, as it would have to in a script."""
    may_fail = command.endswith(" || true")
    words = shlex.split(command.removesuffix(" || true"))[1:]
    done = CliRunner().invoke(main.app, words, catch_exceptions=False)
    assert done.exit_code == (2 if may_fail else 0), done.output
    return squeezed(done.output)


def test_the_tutorial_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main._gather()
    monkeypatch.chdir(tmp_path)
    # The console reads COLUMNS when it is made, which another test may have brought about.
    monkeypatch.setattr(console, "_width", 200)
    missing = []
    for kind, block in blocks():
        if kind == "yaml":
            Path(block.splitlines()[0].removeprefix("# ")).write_text(block, encoding="utf-8")
            continue
        for command, shown in typed(block):
            if command.startswith("cd "):
                monkeypatch.chdir(command.removeprefix("cd "))
            elif command.startswith("leadflow "):
                told = printed_by(command)
                missing += [(command, line) for line in shown if squeezed(line.split("…")[0]) not in told]
            else:
                subprocess.run(["bash", "-euc", command], check=True, stdout=subprocess.DEVNULL)

    assert missing == []
    assert len(list(Path("outbox/2030-03-05").glob("*.eml"))) > 50
    assert Path.cwd().name == "my-workspace"


def test_every_line_of_a_console_block_is_a_command_or_what_it_prints() -> None:
    assert [block for kind, block in blocks() if kind == "console" and not block.startswith("$ ")] == []

"""The tutorial of mistakes is true: its commands are typed, and what it shows is what they print, in both languages.

`LEADFLOW_GOLDEN=write` writes what is printed into the page.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadflow.cli import main
from leadflow.cli.common import complaints, console

PAGE = Path(__file__).parents[1] / "docs" / "tutorial-mistakes.md"
WRITE = os.environ.get("LEADFLOW_GOLDEN") == "write"
_BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.DOTALL | re.MULTILINE)
#: Other files come and go, and a machine may be slow.
_VARIES = re.compile(r"\d+(?= (?:files|fichiers)\b)|\d+[.,]\d(?= s\b)")


def commands(block: str) -> Iterator[str]:
    """What is typed in a block."""
    return (line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ "))


def printed_by(command: str) -> str:
    """What a command prints, numbers that vary apart."""
    if command.startswith("sed "):
        subprocess.run(shlex.split(command), check=True)
        return ""
    done = CliRunner().invoke(main.app, shlex.split(command)[1:], catch_exceptions=False)
    return _VARIES.sub("…", done.output)


def shown(block: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A block as it is when its commands are typed now; what `sed` broke is put back."""
    breaks = "--lang fr" in block
    told = ""
    for command in commands(block):
        told += f"$ {command}\n"
        if command.startswith("cd "):
            monkeypatch.chdir(command.removeprefix("cd "))
            continue
        if breaks and command.startswith("sed "):
            broken = Path(shlex.split(command)[-1])
            kept = broken.read_text(encoding="utf-8")
            printed_by(command)
            assert broken.read_text(encoding="utf-8") != kept, command
            continue
        told += printed_by(command)
    if breaks:
        broken.write_text(kept, encoding="utf-8")
    return told


@pytest.mark.no_cover
def test_what_the_page_shows_is_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main._gather()
    monkeypatch.chdir(tmp_path)
    for each in (console, complaints):
        monkeypatch.setattr(each, "_width", 200)
    page = PAGE.read_text(encoding="utf-8")

    lived = _BLOCK.sub(lambda found: shown(found[1], monkeypatch), page)

    if WRITE:
        PAGE.write_text(lived, encoding="utf-8")
    else:
        assert lived == page


def test_each_is_broken_in_five_ways_in_both_languages() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert [len(part.split("$ leadflow --lang fr check")) - 1 for part in page.split("\n## Break the ")[1:]] == [5, 5]

"""A workspace of one's own: the shipped example, copied, to be broken in one place."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from leadflow.errors import Severity
from leadflow.playbook.load import check_playbook

EXAMPLE = Path(__file__).parents[2]
Breaks = Callable[..., list[str]]

SCORING = "config/scoring.yaml"
JOURNEY = "config/journey.yaml"
SALES = "config/sales.yaml"
MAIN = "config/leadflow.yaml"
DISCOVERY = "config/sequences/discovery.yaml"
SHOPS = "segments/online-shops.yaml"
MAKERS = "segments/manufacturers.yaml"
WELCOME = "templates/emails/welcome"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A copy of the example that a test may change."""
    for folder in ("config", "segments", "templates", "lists", "pages"):
        shutil.copytree(EXAMPLE / folder, tmp_path / folder)
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    """Replace the first `old` in `file`, which must be there."""
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {file.name}"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def faults_after(workspace: Path) -> Breaks:
    """Change one text in one file of the example; the errors `check` then finds, as lines."""

    def breaks(file: str, old: str, new: str, *more: tuple[str, str, str]) -> list[str]:
        for path, before, after in ((file, old, new), *more):
            change(workspace / path, before, after)
        _playbook, faults = check_playbook(workspace)
        return [str(fault) for fault in faults if fault.severity is Severity.ERROR]

    return breaks

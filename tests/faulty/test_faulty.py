"""Workspaces with one fault each: it is found at its line and column, in its words, and nothing else is said."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from leadflow.errors import Severity
from leadflow.playbook.load import check_playbook
from tests.faulty.workspace import HERE, changed, lay_out, place_in

FAULTY = sorted(
    file.relative_to(HERE).as_posix() for file in HERE.glob("*/*.yaml") if file.parent.name not in ("clean", "case")
)
CLEAN = sorted(file.relative_to(HERE).as_posix() for file in HERE.glob("clean/*.yaml"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all cases: each gives it back as it was."""
    return lay_out(tmp_path_factory.mktemp("faulty") / "workspace")


def read(case: str) -> dict[str, Any]:
    found = YAML(typ="safe", pure=True).load((HERE / case).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("case", FAULTY)
def test_the_fault_is_told_at_its_place_in_its_words_and_nothing_else_is(case: str, workspace: Path) -> None:
    asked = read(case)
    with changed(workspace, asked["change"]) as marked:
        playbook, faults = check_playbook(workspace)
        place = place_in(workspace, asked["at"]) if "at" in asked else marked

    assert [str(fault) for fault in faults][1:] == []
    assert [(fault.file, fault.line, fault.column) for fault in faults] == [place]
    assert faults[0].severity == asked["expect"]
    assert faults[0].code == asked.get("code", "")
    assert asked["says"] in faults[0].message
    assert asked.get("mend", "") in faults[0].mend
    assert (playbook is None) == (faults[0].severity is Severity.ERROR)


@pytest.mark.parametrize("case", CLEAN)
def test_what_is_unusual_and_right_is_not_spoken_of(case: str, workspace: Path) -> None:
    with changed(workspace, read(case)["change"]):
        playbook, faults = check_playbook(workspace)

    assert [str(fault) for fault in faults] == []
    assert playbook is not None


def test_the_workspace_that_is_changed_has_no_fault_itself(workspace: Path) -> None:
    assert check_playbook(workspace)[1] == []


def test_there_are_sixty_faults_and_eight_clean_cases_at_least() -> None:
    assert len(FAULTY) >= 60
    assert len(CLEAN) >= 8

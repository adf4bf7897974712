"""`leadflow plan`, as it is typed: screens, Markdown, JSON, and what a pull request's check reads of it."""

import json
import subprocess
from pathlib import Path

import pytest

from leadflow.app import playbook_at
from leadflow.errors import UsageError
from tests.cli.conftest import Types

AT = ("--at", "2026-03-24")


def git(place: Path, *words: str) -> None:
    who = ["-c", "user.name=Camille", "-c", "user.email=camille@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(place), *who, *words], check=True, capture_output=True)


@pytest.fixture
def repository(place: Path) -> Path:
    """The workspace as a Git repository, on a branch off `main`."""
    git(place, "init", "-q", "-b", "main")
    (place / ".gitignore").write_text("var/\n.env\n")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "As merged")
    return place


def test_a_night_is_planned_on_paper(types: Types) -> None:
    done = types("plan", *AT)
    assert done.exit_code == 0
    assert done.output.startswith("PLAN for Tue 24 March")
    assert "sales: 0 hand-overs" in done.output


def test_a_plan_for_machines_is_json(types: Types) -> None:
    found = json.loads(types("plan", *AT, "--format", "json").output)
    assert (found["mails"], found["people"], found["emails"]) == (0, 0, [])


def test_a_plan_in_markdown_has_its_table(types: Types) -> None:
    assert "| email | fr | en | total | hours (Paris) |" in types("plan", *AT, "--format", "markdown").output


def test_a_branch_that_changes_nothing_to_look_at_passes(repository: Path, types: Types) -> None:
    body = repository / "templates/emails/welcome/body.fr.md"
    body.write_text(body.read_text() + "\nÀ bientôt\n")
    done = types("plan", *AT, "--against", "main")
    assert done.exit_code == 0
    assert done.output.startswith("1 file changed: templates/emails/welcome/body.fr.md")
    assert "nobody gets the same email twice" in done.output


def test_markdown_for_a_pull_request_says_its_verdict_first(repository: Path, types: Types) -> None:  # noqa: ARG001
    done = types("plan", *AT, "--against", "HEAD", "--format", "markdown")
    assert done.output.startswith("### ✅ Plan against HEAD: nothing to look at before merging")


def test_a_change_for_machines_is_json(repository: Path, types: Types) -> None:  # noqa: ARG001
    found = json.loads(types("plan", *AT, "--against", "HEAD", "--format", "json").output)
    assert (found["look"], found["mails"]) == (False, {"before": 0, "after": 0})


def test_a_ref_that_is_none_is_bad_input(repository: Path, types: Types) -> None:  # noqa: ARG001
    for ref in ("nowhere", "--output=/tmp/x"):
        done = types("plan", *AT, f"--against={ref}")
        assert (done.exit_code, done.stderr) == (2, f"{ref} is no Git ref and no folder with a playbook\n")


def test_the_files_of_a_ref_are_read_beside_the_work_tree(repository: Path) -> None:
    segment = repository / "segments/manufacturers.yaml"
    before = segment.read_text()
    segment.write_text(before.replace("at_least: 10", "at_least: 40"))
    git(repository, "rm", "-q", "--cached", "config/scoring.yaml")
    status = subprocess.run(["git", "-C", str(repository), "status", "--short"], capture_output=True, check=True).stdout
    found = playbook_at(repository, "main")
    assert found.files["segments/manufacturers.yaml"].decode() == before
    assert "config/scoring.yaml" in found.files
    again = subprocess.run(["git", "-C", str(repository), "status", "--short"], capture_output=True, check=True).stdout
    assert (status, segment.read_text() == before) == (again, False)


def test_a_workspace_below_the_top_of_its_repository_is_found_at_a_ref(repository: Path, tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    repository.rename(top / "marketing")
    git(top, "init", "-q", "-b", "main")
    (top / "marketing/.git").rename(tmp_path / "elsewhere")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "Both")
    assert playbook_at(top / "marketing", "main").brand.name


def test_another_folder_may_be_what_is_compared_with(repository: Path) -> None:
    assert playbook_at(Path("/nowhere"), str(repository)).brand.name
    (repository / "segments/manufacturers.yaml").write_text("title: x\n")
    with pytest.raises(UsageError, match="no sound playbook"):
        playbook_at(Path("/nowhere"), str(repository))

"""The shipped example is a playbook without a fault, and its version names exactly its content."""

import os
import pickle
import shutil
from pathlib import Path

import pytest

from leadflow.conditions.vocabulary import Level
from leadflow.errors import PlaybookError
from leadflow.playbook.load import check_playbook, load_playbook
from leadflow.playbook.model import Playbook
from leadflow.steps.branch import BranchStep
from leadflow.steps.email import EmailStep
from tests.playbook.conftest import change


def test_the_example_has_no_fault_and_no_warning(workspace: Path) -> None:
    playbook, faults = check_playbook(workspace)

    assert playbook is not None
    assert faults == []


def test_loading_prints_nothing(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_playbook(workspace)

    assert capsys.readouterr() == ("", "")


def test_sequences_come_highest_priority_first(workspace: Path) -> None:
    playbook = load_playbook(workspace)

    assert [sequence.name for sequence in playbook.sequences] == ["decision", "evaluation", "discovery", "handed-over"]


def test_steps_are_read_by_their_type(workspace: Path) -> None:
    discovery = load_playbook(workspace).sequence("discovery")
    assert discovery is not None

    learn, woke_up = discovery.step("learn-3"), discovery.step("woke-up")

    assert isinstance(learn, EmailStep)
    assert (learn.best_for, learn.then) == ("discovery", "end")
    assert isinstance(woke_up, BranchStep)
    assert woke_up.targets == ("learn-3", "settings", "last-word")
    assert not woke_up.goes_on


def test_computed_words_are_fields_with_the_level_they_are_known_at(workspace: Path) -> None:
    fields = load_playbook(workspace).vocabulary.fields

    assert fields["industry"].level is Level.GIVEN
    assert fields["band"].level is Level.SCORED
    assert fields["stage"].choices == ("discovery", "evaluation", "decision")
    assert fields["qualification.budget"].choices == ("met", "unmet")
    assert fields["segment_main"].level is Level.SEGMENTED
    assert fields["with_sales"].level is Level.ESCALATED
    assert not fields["consent.newsletter"].choices


def test_needs_are_the_names_without_guard_or_default(workspace: Path) -> None:
    emails = load_playbook(workspace).emails

    assert emails["shops-checkout-audit"].needs["fr"] == {"lead.cms"}
    assert emails["welcome"].needs["fr"] == frozenset()


def test_the_same_files_give_the_same_version_whatever_the_line_ends(workspace: Path, tmp_path: Path) -> None:
    before = load_playbook(workspace)
    copy = tmp_path / "copy"
    for folder in ("config", "segments", "templates", "lists", "pages"):
        shutil.copytree(workspace / folder, copy / folder)
    scoring = copy / "config/scoring.yaml"
    scoring.write_bytes(scoring.read_bytes().replace(b"\n", b"\r\n"))
    os.utime(scoring, (0, 0))

    after = load_playbook(copy)

    assert before.version == after.version
    assert before.files == after.files


def test_a_change_of_one_email_changes_its_version_and_the_playbooks(workspace: Path) -> None:
    before = load_playbook(workspace)
    change(workspace / "templates/emails/welcome/body.fr.md", "Merci.", "Merci !")

    after = load_playbook(workspace)

    changed = [name for name, email in after.emails.items() if email.version != before.emails[name].version]
    assert changed == ["welcome"]
    assert before.version != after.version


def test_a_change_of_the_frame_changes_the_version_of_every_email(workspace: Path) -> None:
    before = load_playbook(workspace)
    change(workspace / "templates/emails/_base/layout.txt", "----", "====")

    after = load_playbook(workspace)

    assert all(email.version != before.emails[name].version for name, email in after.emails.items())


def test_a_playbook_handed_to_another_process_is_the_same_there(workspace: Path) -> None:
    playbook = load_playbook(workspace)
    handed: Playbook = pickle.loads(pickle.dumps(playbook))  # noqa: S301 - our own

    assert handed == playbook
    assert list(handed.segments) == list(playbook.segments), "their order is that of the files"


def test_lists_belong_to_the_version(workspace: Path) -> None:
    before = load_playbook(workspace)
    with (workspace / "lists/competitors.txt").open("a") as file:
        file.write("another.example\n")

    after = load_playbook(workspace)

    assert before.version != after.version
    assert "lists/competitors.txt" in after.files


def test_loading_a_broken_playbook_raises_with_every_error(workspace: Path) -> None:
    change(workspace / "config/scoring.yaml", "points: 6", "points: 600")
    change(workspace / "config/sales.yaml", "pick: least_recent", "pick: lest_recent")

    with pytest.raises(PlaybookError) as raised:
        load_playbook(workspace)

    assert [fault.file for fault in raised.value.faults] == ["config/sales.yaml", "config/scoring.yaml"]


def test_a_folder_without_a_playbook_says_so(tmp_path: Path) -> None:
    playbook, faults = check_playbook(tmp_path)

    assert playbook is None
    assert "leadflow init" in str(faults[0])

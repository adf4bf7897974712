"""Mails that nobody can get and steps nobody comes to: faults of what fits together, not of one word."""

from pathlib import Path

from leadflow.errors import Severity
from leadflow.playbook.load import check_playbook
from tests.playbook.conftest import DISCOVERY, MAIN, WELCOME, change


def test_a_best_for_that_no_email_answers_is_an_error(workspace: Path) -> None:
    for email in (workspace / "templates/emails").glob("*/email.yaml"):
        email.write_text(email.read_text().replace("stage: [discovery]", "stage: [decision]"))

    _playbook, faults = check_playbook(workspace)

    assert {fault.message for fault in faults} == {
        "no email may be chosen here: none has discovery in its for.stage",
    }


def test_a_step_nobody_comes_to_is_a_warning(workspace: Path) -> None:
    change(workspace / DISCOVERY, "{else: true, goto: last-word}", "{else: true, goto: learn-3}")

    playbook, faults = check_playbook(workspace)

    assert playbook is not None
    lines = (workspace / DISCOVERY).read_text().splitlines()
    place = next(number for number, line in enumerate(lines, start=1) if "name: last-word" in line)
    assert [(fault.line, fault.severity) for fault in faults] == [(place, Severity.WARNING)]


def test_an_email_that_nobody_can_get_is_a_warning(workspace: Path) -> None:
    change(workspace / DISCOVERY, "email: welcome", "email: {best_for: discovery}")

    playbook, faults = check_playbook(workspace)

    assert playbook is not None
    assert [(fault.file, fault.severity) for fault in faults] == [(f"{WELCOME}/email.yaml", Severity.WARNING)]


def test_a_long_subject_is_a_warning(workspace: Path) -> None:
    change(
        workspace / WELCOME / "email.yaml", "et à quel rythme", "et à quel rythme, semaine après semaine après semaine"
    )

    playbook, faults = check_playbook(workspace)

    assert playbook is not None
    assert "mailboxes cut after 60" in faults[0].message


def test_a_regional_language_does_without_bodies_of_its_own(workspace: Path) -> None:
    change(workspace / MAIN, "languages: [fr, en]", "languages: [fr, en, fr-BE]")

    _playbook, faults = check_playbook(workspace)

    assert [fault.message for fault in faults if "body.fr-BE" in fault.message] == []
    assert "there is no subject in fr-BE" not in {fault.message for fault in faults}

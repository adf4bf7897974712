"""What the files say of people who were there before: who enters on the first day, and names that changed."""

from pathlib import Path

import pytest

from leadflow.playbook.load import check_playbook, load_playbook
from tests.playbook.conftest import Breaks, change

DISCOVERY = "config/sequences/discovery.yaml"


@pytest.mark.parametrize(
    ("written", "per_day"),
    [
        ("existing: none", 0),
        ("existing: all", None),
        ("existing: 40 per day", 40),
        ("existing: {enter: none}", 0),
        ("existing: {enter: all}", None),
        ("existing: {enter: 40 per day}", 40),
    ],
)
def test_existing_is_none_all_or_a_ramp(workspace: Path, written: str, per_day: int | None) -> None:
    change(workspace / DISCOVERY, "existing: {enter: 100 per day}", written)
    discovery = load_playbook(workspace).sequence("discovery")
    assert discovery is not None
    assert discovery.existing_per_day == per_day


@pytest.mark.parametrize("written", ["existing: 100", "existing: 0 per day", "existing: {enter: everybody}"])
def test_another_word_is_an_error(faults_after: Breaks, written: str) -> None:
    (fault,) = faults_after(DISCOVERY, "existing: {enter: 100 per day}", written)
    assert 'expected none, all, or a ramp such as "100 per day"' in fault


def test_names_of_before_must_be_gone(faults_after: Breaks) -> None:
    found = faults_after(
        "config/leadflow.yaml",
        "brake:",
        "removed: {sequences: [discovery, long-gone]}\nbrake:",
        ("templates/emails/welcome/email.yaml", "title:", "was: still-useful\ntitle:"),
    )
    assert [fault.split("  error  ")[1] for fault in found] == [
        'sequence "discovery" is still there',
        'email "still-useful" is still there',
    ]


def test_who_has_passed_a_removed_step_may_be_through(workspace: Path) -> None:
    change(workspace / DISCOVERY, "title:", "removed: {learn-0: learn-2, learn-9: end}\ntitle:")
    playbook = load_playbook(workspace)
    discovery = playbook.sequence("discovery")
    assert discovery is not None
    assert discovery.removed == {"learn-0": "learn-2", "learn-9": "end"}


def test_a_window_over_midnight_is_a_warning(workspace: Path) -> None:
    change(workspace / "config/leadflow.yaml", 'to: "17:00"', 'to: "08:00"')
    _playbook, faults = check_playbook(workspace)
    assert [fault.message for fault in faults] == [
        "the window is open over midnight, from 09:00 to 08:00: mails leave at night"
    ]


def test_without_a_word_about_pressure_the_usual_caps_hold(workspace: Path) -> None:
    usual = load_playbook(workspace).pressure.caps
    main = workspace / "config/leadflow.yaml"
    lines = main.read_text().splitlines(keepends=True)
    main.write_text("".join(line for line in lines if not line.startswith("pressure:")))
    assert load_playbook(workspace).pressure.caps == usual

"""Accidents in the files that `check` stops: files with an error are no playbook, and every night begins with one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from leadflow.errors import Severity
from leadflow.playbook.load import check_playbook
from tests.accidents.conftest import edit

Spoil = Callable[[Path], object]

_SCORING, _MAIN, _SALES = "config/scoring.yaml", "config/leadflow.yaml", "config/sales.yaml"
_MAKERS, _DISCOVERY = "segments/manufacturers.yaml", "config/sequences/discovery.yaml"


def _cycle(folder: Path) -> None:
    edit(folder, _MAKERS, "    - {field: industry, is: manufacturing}", "    - {segment: online-shops}")
    shops = folder / "segments/online-shops.yaml"
    text = shops.read_text()
    start = text.index("when:")
    shops.write_text(text[:start] + "when: {segment: manufacturers}\n")


ACCIDENTS: dict[str, tuple[Spoil, str]] = {
    "a half-life of zero": (
        lambda folder: edit(folder, _SCORING, "points: 1, half_life: 14 days", "points: 1, half_life: 0 days"),
        "config/scoring.yaml",
    ),
    "points with a nought too many": (
        lambda folder: edit(
            folder, _SCORING, "points: 20, when: {field: employees", "points: 200, when: {field: employees"
        ),
        "100",
    ),
    "bands upside down": (
        lambda folder: edit(folder, _SCORING, "{A: 75, B: 50, C: 25}", "{A: 25, B: 50, C: 75}"),
        "config/scoring.yaml",
    ),
    "a segment that contains itself": (_cycle, "segments/"),
    "a segment emptied by a wrong word": (
        lambda folder: edit(folder, _MAKERS, "{field: industry, is: manufacturing}", "{field: industry, is: public}"),
        "segments/manufacturers.yaml",
    ),
    "a filter the wrong way round": (
        lambda folder: edit(folder, _MAKERS, "{field: employees, at_least: 10}", "{field: employees, at_most: 10}"),
        "segments/manufacturers.yaml",
    ),
    "the list of those never to be mailed deleted": (
        lambda folder: (folder / "lists/competitors.txt").unlink(),
        "lists/competitors.txt does not exist",
    ),
    "a template deleted that a step names": (
        lambda folder: shutil.rmtree(folder / "templates/emails/welcome"),
        'no email is called "welcome"',
    ),
    "a body deleted that readers need": (
        lambda folder: (folder / "templates/emails/welcome/body.en.md").unlink(),
        "there is no templates/emails/welcome/body.en.md",
    ),
    "a placeholder nobody knows": (
        lambda folder: edit(folder, "templates/emails/welcome/body.fr.md", "lead.first_name", "lead.firstname"),
        "templates/emails/welcome/body.fr.md",
    ),
    "a zone no map has": (lambda folder: edit(folder, _MAIN, "Europe/Paris", "Europe/Pari"), "config/leadflow.yaml"),
    "the sender gone": (
        lambda folder: edit(folder, _MAIN, "address: camille@news.atelier-nord.example", "address: camille"),
        "config/leadflow.yaml",
    ),
    "an hourly share of nothing": (
        lambda folder: edit(folder, _MAIN, "max_share_per_hour: 20 %", "max_share_per_hour: 0 %"),
        "nothing would ever leave",
    ),
    "a file cut off in the middle": (
        lambda folder: (folder / _SALES).write_text((folder / _SALES).read_text()[:1500]),
        "config/sales.yaml",
    ),
    "a merge that kept both": (
        lambda folder: edit(folder, _DISCOVERY, "priority: 30", "priority: 30\npriority: 60"),
        "config/sequences/discovery.yaml",
    ),
    "a merge that left its marks": (
        lambda folder: edit(folder, _DISCOVERY, "priority: 30", "<<<<<<< HEAD\npriority: 30\n======="),
        "config/sequences/discovery.yaml",
    ),
    "a language dropped that the emails are written for": (
        lambda folder: edit(folder, _MAIN, "languages: [fr, en]", "languages: [en]"),
        "templates/emails",
    ),
    "a sequence that goes back": (
        lambda folder: edit(folder, _DISCOVERY, "goto: learn-3", "goto: learn-1"),
        "a sequence only goes forward",
    ),
}


@pytest.mark.parametrize("name", ACCIDENTS)
def test_an_accident_in_the_files_is_an_error_and_no_sweep_begins(folder: Path, name: str) -> None:
    spoil, told = ACCIDENTS[name]
    spoil(folder)
    playbook, faults = check_playbook(folder)
    assert playbook is None
    errors = [str(fault) for fault in faults if fault.severity is Severity.ERROR]
    assert any(told in error for error in errors), errors

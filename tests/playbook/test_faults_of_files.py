"""Files of rubbish, files nobody reads, files that are missing: each is said of that file alone."""

from pathlib import Path

import pytest

from leadflow.playbook.load import check_playbook
from tests.playbook.conftest import DISCOVERY, JOURNEY, MAIN, SCORING, SHOPS, WELCOME, Breaks


def test_a_missing_body_is_an_error_at_the_list_of_languages(workspace: Path) -> None:
    (workspace / WELCOME / "body.en.md").unlink()

    _playbook, faults = check_playbook(workspace)

    assert [str(fault) for fault in faults] == [
        f"{WELCOME}/email.yaml:7:14  error  there is no {WELCOME}/body.en.md",
    ]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: \x00b\n", b"", b"- x\n", b"a: &b [*b, *b]\n"])
@pytest.mark.parametrize("file", [MAIN, SCORING, JOURNEY, SHOPS, DISCOVERY, f"{WELCOME}/email.yaml"])
def test_a_file_of_rubbish_is_an_error_of_that_file_alone(workspace: Path, file: str, content: bytes) -> None:
    (workspace / file).write_bytes(content)

    playbook, faults = check_playbook(workspace)

    assert playbook is None
    assert {fault.file for fault in faults} == {file}


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("config/scorring.yaml", "Did you mean scoring.yaml?"),
        ("segments/shops.yml", "must end in .yaml"),
        ("templates/emails/welcome/body.fr.mdd", "Did you mean body.fr.md?"),
    ],
)
def test_a_file_nobody_reads_does_not_go_unnoticed(workspace: Path, file: str, words: str) -> None:
    (workspace / file).write_text("a: b\n")

    _playbook, faults = check_playbook(workspace)

    assert [fault.file for fault in faults] == [file]
    assert words in faults[0].message


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/hostname", "lists/none.txt"])
def test_a_list_is_read_inside_the_workspace_only(faults_after: Breaks, path: str) -> None:
    (found,) = faults_after(MAIN, "lists/competitors.txt", path)

    assert found.startswith(f"{MAIN}:")
    assert f":62  error  {path}" in found

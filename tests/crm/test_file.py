"""Hand-overs as files: whole, private, one each."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadflow.crm.file import FileCrm
from leadflow.errors import RetryableError
from leadflow.ports import HandOver

DUE = datetime(2026, 3, 23, 12, tzinfo=UTC)


def hand_over(rep: str = "Marc") -> HandOver:
    return HandOver(escalation_id=147, lead={"id": 7, "first_name": "Zoé"}, rule="hot-profile", rep=rep, due_at=DUE)


def test_a_hand_over_is_one_readable_file(tmp_path: Path) -> None:
    FileCrm(tmp_path / "handovers").hand_over(hand_over())

    (path,) = (tmp_path / "handovers").iterdir()
    assert path.name == "000147.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "handover": 147,
        "rule": "hot-profile",
        "rep": "Marc",
        "due_at": "2026-03-23T12:00:00+00:00",
        "lead": {"id": 7, "first_name": "Zoé"},
    }


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    FileCrm(tmp_path).hand_over(hand_over())

    assert (tmp_path / "000147.json").stat().st_mode & 0o777 == 0o600


def test_handing_over_again_replaces_the_file(tmp_path: Path) -> None:
    FileCrm(tmp_path).hand_over(hand_over())
    FileCrm(tmp_path).hand_over(hand_over(rep="Sofia"))

    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text(encoding="utf-8"))["rep"] == "Sofia"


def test_a_disk_that_refuses_can_be_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "handovers").write_text("not a folder")

    with pytest.raises(RetryableError, match="hand-over 147 was not written"):
        FileCrm(tmp_path / "handovers").hand_over(hand_over())

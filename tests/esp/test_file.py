"""The outbox: one .eml a message, whole or absent, found by its night and hour."""

from dataclasses import replace
from pathlib import Path

import pytest

from leadflow.errors import RetryableError
from leadflow.esp.file import FileProvider
from tests.esp.mail import a_mail, send


def test_a_mail_lies_under_its_local_date_and_time(tmp_path: Path) -> None:
    assert send(FileProvider(tmp_path)) == ["2026-03-23/0905-hello-t0-7.eml"]
    assert [p.name for p in (tmp_path / "2026-03-23").iterdir()] == ["0905-hello-t0-7.eml"]


def test_the_same_attempt_is_written_once(tmp_path: Path) -> None:
    provider = FileProvider(tmp_path)
    first = (tmp_path / send(provider)[0]).read_bytes()
    assert (tmp_path / send(provider, a_mail(subject="other"))[0]).read_bytes() == first


def test_another_attempt_is_another_file(tmp_path: Path) -> None:
    provider = FileProvider(tmp_path)
    assert send(provider) != send(provider, replace(a_mail(), attempt_id="t1-7"))


def test_names_never_lead_out_of_the_outbox(tmp_path: Path) -> None:
    (sent,) = send(FileProvider(tmp_path / "outbox"), a_mail(email="../../x", attempt_id="a/b"))
    assert (tmp_path / "outbox" / sent).parent == tmp_path / "outbox" / "2026-03-23"


def test_an_outbox_that_cannot_be_written_may_be_mended(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file in the way")
    with pytest.raises(RetryableError):
        send(FileProvider(tmp_path / "outbox"))

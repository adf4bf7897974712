"""Alerts really leave: by mail to a real SMTP server, by webhook to a real HTTP server, else as a file."""

from pathlib import Path
from typing import Any

import pytest

from leadflow.crm.apprise_channel import ApprisePort
from leadflow.errors import RefusedError, RetryableError
from leadflow.ports import Alert
from tests.crm.conftest import Inbox


def alert(url: str = "", body: str = "Claire asked for a quote") -> Alert:
    return Alert(escalation_id=147, to="Inès", url=url, title="Claire Morel — Vannes de la Loire", body=body)


def test_an_alert_arrives_by_mail(inbox: tuple[Inbox, int], tmp_path: Path) -> None:
    received, port = inbox
    url = f"mailto://127.0.0.1:{port}/?from=leads@a.example&to=ines@a.example&mode=insecure"

    ApprisePort(tmp_path, environment={"SALES_INES": url}).tell(alert("$SALES_INES"))

    (mail,) = received.mails
    assert "Claire Morel — Vannes de la Loire" in str(mail["Subject"])
    assert "Claire asked for a quote" in str(mail)
    assert list(tmp_path.iterdir()) == []


def test_an_alert_arrives_by_webhook(webhook: tuple[list[Any], str], tmp_path: Path) -> None:
    told, url = webhook

    ApprisePort(tmp_path, environment={}).tell(alert(url))

    assert (told[0]["title"], told[0]["message"]) == ("Claire Morel — Vannes de la Loire", "Claire asked for a quote")


def test_a_webhook_that_fails_has_told_nobody(webhook: tuple[list[Any], str], tmp_path: Path) -> None:
    _told, url = webhook

    with pytest.raises(RetryableError, match="alert 147 reached nobody"):
        ApprisePort(tmp_path, environment={}).tell(alert(f"{url}/broken"))


def test_an_address_nobody_can_read_is_refused_without_being_repeated(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        ApprisePort(tmp_path, environment={}).tell(alert("nonsense-with-a-password"))

    assert "password" not in str(caught.value)


def test_without_an_address_an_alert_is_a_file(tmp_path: Path) -> None:
    ApprisePort(tmp_path, environment={}).tell(alert("$SALES_INES"))

    path = tmp_path / "000147-ines.md"
    assert path.read_text(encoding="utf-8").startswith("# Claire Morel — Vannes de la Loire\n\nClaire asked")


def test_a_reminder_does_not_overwrite_the_alert_and_a_repeat_adds_nothing(tmp_path: Path) -> None:
    channel = ApprisePort(tmp_path, environment={})
    for body in ("first", "first", "reminder"):
        channel.tell(alert(body=body))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["000147-ines-2.md", "000147-ines.md"]


def test_apprise_logs_nothing_about_people(
    webhook: tuple[list[Any], str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _told, url = webhook
    with pytest.raises(RetryableError):
        ApprisePort(tmp_path, environment={}).tell(alert(f"{url}/broken"))

    assert caplog.text == ""

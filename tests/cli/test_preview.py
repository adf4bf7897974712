"""`leadflow send-test` sends one mail to oneself by whatever sends here, and leaves no trace."""

from collections.abc import Mapping
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import func, select

from leadflow.db import make_engine
from leadflow.models import metadata
from tests.cli.conftest import Types
from tests.esp.worlds import sendgrid_world, smtp_world


def rows(place: Path) -> Mapping[str, int]:
    engine = make_engine(f"sqlite:///{place / 'var' / 'leadflow.db'}", reads_only=True)
    with engine.connect() as connection:
        return {t.name: connection.scalar(select(func.count()).select_from(t)) or 0 for t in metadata.sorted_tables}


def test_a_test_is_written_where_mails_are_and_in_no_table(types: Types, place: Path) -> None:
    before = rows(place)
    done = types("send-test", "welcome", "--to", "Me@X.example", "--lang", "en", "--lead", "markup")
    assert done.exit_code == 0, done.stderr
    assert "[test] What you’ll get from us, and how often → me@x.example (file)" in done.stdout
    (file,) = place.glob("outbox/*/*-test-welcome-*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=default)
    assert (mail["X-Leadflow-Test"], mail["To"]) == ("1", "me@x.example")
    body = mail.get_body(("html",))
    assert body is not None
    html = body.get_content()
    assert "O&#39;Brien &amp; &lt;b&gt;" in html
    assert 'href="https://www.atelier-nord.example/en/guides/twelve-questions"' in html
    assert mail["List-Unsubscribe"] == "<http://127.0.0.1:8380/u/test>"
    assert "/c/" not in html
    assert rows(place) == before


def test_the_real_provider_sends_it(types: Types, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADFLOW_SIMULATED", "false")
    before = rows(place)
    with smtp_world() as world:
        monkeypatch.setenv("LEADFLOW_ESP", "smtp")
        monkeypatch.setenv("LEADFLOW_SMTP_URL", world.url)
        assert types("send-test", "welcome", "--to", "me@x.example").exit_code == 0
        (mail,) = world.received
    assert (mail["X-Leadflow-Test"], str(mail["Subject"])[:7]) == ("1", "[test] ")
    with sendgrid_world() as world:
        monkeypatch.setenv("LEADFLOW_ESP", "sendgrid")
        monkeypatch.setenv("LEADFLOW_SENDGRID_URL", world.url)
        monkeypatch.setenv("LEADFLOW_SENDGRID_API_KEY", "SG.key")
        assert types("send-test", "welcome", "--to", "me@x.example").exit_code == 0
        (body,) = world.bodies
        world.answer = (400, {})
        refused = types("send-test", "welcome", "--to", "me@x.example")
    assert body["headers"]["X-Leadflow-Test"] == "1"
    assert body["categories"] == ["test-welcome"]
    assert "custom_args" not in body["personalizations"][0]
    assert (refused.exit_code, refused.stderr) == (2, "not sent: SendGrid answered 400\n")
    assert rows(place) == before


WRONG = [
    (("welcom", "--to", "me@x.example"), "no email is called welcom. Did you mean welcome?\n"),
    (("welcome", "--to", "me"), "--to me: this is no address (the address must have exactly one @)\n"),
    (("welcome", "--to", "me@x.example", "--lang", "de"), "welcome is not written in de. It is written in: en, fr\n"),
    (("welcome", "--to", "me@x.example", "--lead", "L-²"), "nobody is known as ²\n"),
    (("welcome", "--to", "me@x.example", "--lead", "L-7"), "nobody is known as L-7\n"),
    (
        ("offer-in-writing", "--to", "me@x.example", "--lead", "no-name"),
        "this person would not get this mail: company.name is missing, and has no default\n",
    ),
]


def test_what_cannot_be_sent_is_said_in_words(types: Types, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, told in WRONG:
        done = types("send-test", *words)
        assert (done.exit_code, done.stderr) == (2, told)
    monkeypatch.setenv("LEADFLOW_ESP", "sendgrid")
    done = types("send-test", "welcome", "--to", "me@x.example")
    assert (done.exit_code, done.stderr[:34]) == (2, "a simulated workspace mails nobody")
    monkeypatch.setenv("LEADFLOW_ESP", "pigeon")
    done = types("send-test", "welcome", "--to", "me@x.example")
    assert (done.exit_code, done.stderr[:32]) == (2, "LEADFLOW_ESP cannot be used: Inp")
    (place / "templates/emails/welcome/body.en.md").write_text("Hello {{ lead.firstname }}\n")
    monkeypatch.setenv("LEADFLOW_ESP", "file")
    done = types("send-test", "faq-budget", "--to", "me@x.example")
    assert done.exit_code == 2
    assert "templates/emails/welcome/body.en.md:1:10  error  lead.firstname: did you mean" in done.stderr

"""`leadflow preview` as a process and as files; `leadflow send-test` sends one mail to oneself and leaves no trace."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from leadflow.app import preview_camera
from leadflow.app.preview import Workbench
from leadflow.app.preview_camera import find_chromium
from leadflow.db import make_engine, reading
from leadflow.models import metadata
from leadflow.settings import load_settings
from tests.cli.conftest import Types
from tests.esp.worlds import sendgrid_world, smtp_world


def size(picture: Path) -> tuple[int, int]:
    """Width and height, as a PNG says them."""
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


@pytest.mark.browser
def test_previews_are_written_for_a_pull_request(types: Types, place: Path, tmp_path: Path) -> None:
    if find_chromium() is None:
        pytest.skip("no Chromium on the PATH")
    folder = tmp_path / "previews"
    only = ("--email", "welcome", "--email", "offer-in-writing", "--lang", "en")
    done = types("preview", "--out", str(folder), *only, "--lead", "sample", "--lead", "no-name")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"3 mails in {folder / 'index.html'}\n1 would not be sent (the page says why)\n"
    assert sorted(path.name for path in (folder / "welcome").iterdir()) == [
        f"en-{lead}.{end}" for lead in ("no-name", "sample") for end in ("desktop.png", "html", "phone.png")
    ]
    wide, narrow = (size(folder / f"welcome/en-sample.{width}.png") for width in ("desktop", "phone"))
    assert (wide[0], narrow[0]) == (700, 375)
    assert 600 < wide[1] < narrow[1]
    with Workbench(load_settings(place)) as bench:
        shown = bench.preview(bench.read(), "welcome", datetime.now(UTC), language="en").rendered
    assert shown is not None
    assert (folder / "welcome/en-sample.html").read_bytes() == shown.html.encode()
    index = (folder / "index.html").read_text()
    assert '<img class="phone" src="welcome/en-sample.phone.png"' in index
    assert "company.name is missing, and has no default" in index


def test_without_a_browser_the_html_is_written_and_the_rest_said(
    types: Types, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_camera, "find_chromium", lambda: None)
    done = types("preview", "--out", str(tmp_path / "out"), "--email", "welcome", "--lang", "fr")
    assert done.stderr.startswith("no Chromium or Chrome on the PATH: HTML only.")
    written = sorted(path.stem for path in (tmp_path / "out/welcome").iterdir())
    assert written == ["fr-emoji", "fr-long", "fr-markup", "fr-no-name", "fr-rtl", "fr-sample"]
    assert "no email here is written in de" in types("preview", "--out", "x", "--lang", "de").stderr
    assert "go with --out" in types("preview", "--lang", "fr").stderr


def test_the_page_is_served_to_this_machine_until_ctrl_c(place: Path) -> None:
    words = [sys.executable, "-c", "from leadflow.cli.main import main; main()", "preview", "--workspace", str(place)]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = subprocess.Popen([*words, "--port", str(port)], stdout=subprocess.PIPE, text=True, env=quiet())
        assert process.stdout is not None
        said = process.stdout.readline()
    try:
        address = said.split()[1]
        assert address.startswith("http://127.0.0.1:")
        assert address != f"http://127.0.0.1:{port}/"
        assert "What leadflow check says" in httpx.get(address, timeout=60, trust_env=False).text
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == ""
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def quiet() -> dict[str, str]:
    """The surroundings of a command whose lines are read as they come."""
    return os.environ | {"COLUMNS": "200", "PYTHONUNBUFFERED": "1"}


def rows(place: Path) -> Mapping[str, int]:
    engine = make_engine(f"sqlite:///{place / 'var' / 'leadflow.db'}")
    with reading(engine).connect() as connection:
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
    assert (done.exit_code, done.stderr[:41]) == (2, "LEADFLOW_ESP is pigeon: write one of file")
    (place / "templates/emails/welcome/body.en.md").write_text("Hello {{ lead.firstname }}\n")
    monkeypatch.setenv("LEADFLOW_ESP", "file")
    done = types("send-test", "faq-budget", "--to", "me@x.example")
    assert done.exit_code == 2
    assert "templates/emails/welcome/body.en.md:1:10  error  lead.firstname: did you mean" in done.stderr

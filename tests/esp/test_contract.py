"""What every email provider does alike: one suite over every adapter found in leadflow/esp."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from pydantic import SecretStr

import leadflow.esp
from leadflow.email.mime import write_message
from leadflow.errors import BuildError, RefusedError, SettingsError, StaleError
from leadflow.esp import open_provider
from leadflow.esp.memory import MemoryProvider
from leadflow.ports import EmailProvider
from leadflow.settings import Settings
from tests.esp.mail import a_mail, send
from tests.esp.worlds import sendgrid_world, smtp_world

ADAPTERS = sorted(p.stem for p in Path(leadflow.esp.__path__[0]).glob("[!_]*.py") if not p.stem.endswith("_log"))


@dataclass
class Case:
    provider: EmailProvider
    received: Callable[[], list[EmailMessage]]


@contextmanager
def _file(tmp_path: Path) -> Iterator[Case]:
    provider = open_provider("file", Settings(workspace=tmp_path))
    outbox = tmp_path / "outbox"
    yield Case(provider, lambda: [_parsed(path.read_bytes()) for path in sorted(outbox.rglob("*.eml"))])


@contextmanager
def _memory(tmp_path: Path) -> Iterator[Case]:
    provider = open_provider("memory", Settings(workspace=tmp_path))
    assert isinstance(provider, MemoryProvider)
    yield Case(provider, lambda: [_parsed(write_message(mail)) for mail in provider.sent])


@contextmanager
def _smtp(tmp_path: Path) -> Iterator[Case]:
    with smtp_world() as world:
        provider = open_provider("smtp", Settings(workspace=tmp_path, smtp_url=world.url))
        yield Case(provider, lambda: world.received)


@contextmanager
def _sendgrid(tmp_path: Path) -> Iterator[Case]:
    with sendgrid_world() as world:
        settings = Settings(workspace=tmp_path, sendgrid_url=world.url, sendgrid_api_key=SecretStr("SG.key"))
        provider = open_provider("sendgrid", settings)
        yield Case(provider, lambda: world.received)


def _parsed(content: bytes) -> EmailMessage:
    parsed = message_from_bytes(content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


@pytest.fixture(params=ADAPTERS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    """A new adapter needs a world of its own here."""
    with globals()[f"_{request.param}"](tmp_path) as case:
        assert request.param == case.provider.name
        yield case


def test_an_accepted_mail_arrives_whole(case: Case) -> None:
    assert send(case.provider)
    (arrived,) = case.received()
    html, text = arrived.get_body(("html",)), arrived.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert (arrived["To"].addresses[0].addr_spec, arrived["Subject"]) == ("zoe@x.example", "Bonjour Zoé")
    assert (html.get_content().strip(), text.get_content().strip()) == ("<p>Élan</p>", ".Élan")
    assert arrived["Reply-To"].addresses[0].addr_spec == "bonjour@a.example"


def test_a_mailbox_can_unsubscribe_its_reader_with_one_click(case: Case) -> None:
    send(case.provider)
    (arrived,) = case.received()
    assert arrived["List-Unsubscribe"] == "<https://mail.a.example/u/token>"
    assert arrived["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_nothing_a_person_typed_becomes_a_header(case: Case) -> None:
    send(case.provider, a_mail(subject="a\r\nBcc: evil@x.example", to_name="b\nX-Evil: 1\x00"))
    (arrived,) = case.received()
    assert (arrived["Bcc"], arrived["X-Evil"]) == (None, None)


@pytest.mark.parametrize(
    "address", ["a@x.example\r\nBcc: b@x.example", "two@x.example, three@x.example", "é@x.example", ""]
)
def test_an_address_that_cannot_stand_in_a_header_is_refused(case: Case, address: str) -> None:
    with pytest.raises(RefusedError):
        send(case.provider, replace(a_mail(), to=address))
    assert case.received() == []


def test_a_refused_mail_does_not_spoil_the_next(case: Case) -> None:
    with pytest.raises(RefusedError):
        send(case.provider, a_mail(to="nobody"))
    assert send(case.provider)
    assert len(case.received()) == 1


def test_a_mail_whose_time_is_over_does_not_leave(case: Case) -> None:
    with pytest.raises(StaleError):
        send(case.provider, a_mail(fresh_until=0.0))
    assert case.received() == []
    assert send(case.provider)


def test_a_mail_that_cannot_be_built_fails_alone(case: Case) -> None:
    if case.provider.name == "memory":
        pytest.skip("it builds nothing")
    with pytest.raises(BuildError):
        send(case.provider, a_mail(html=None, text="\udcff"))
    assert send(case.provider)


def test_an_unknown_provider_is_a_setting_that_cannot_be(tmp_path: Path) -> None:
    for name in ("pigeon", "../file", "__init__x"):
        with pytest.raises(SettingsError):
            open_provider(name, Settings(workspace=tmp_path))

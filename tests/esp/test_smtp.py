"""SMTP: what an answer means depends on the moment it comes."""

import asyncio
import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from leadflow.errors import OutageError, RefusedError, RetryableError, SettingsError, UnknownOutcomeError
from leadflow.esp.smtp import SmtpProvider
from tests.esp.mail import a_mail, send
from tests.esp.worlds import World, smtp_world


@pytest.fixture
def world() -> Iterator[World]:
    with smtp_world() as world:
        yield world


@pytest.fixture
def provider(world: World) -> SmtpProvider:
    return SmtpProvider(world.url)


def test_mails_share_one_connection(world: World, provider: SmtpProvider) -> None:
    send(provider, *(a_mail(attempt_id=f"t-{n}") for n in range(3)))
    assert (len(world.received), world.connections) == (3, 1)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "error"), [("550 no", RefusedError), ("451 later", RetryableError), ("421 gone", OutageError)]
)
def test_a_refusal_says_by_its_number_whether_to_try_again(
    world: World, provider: SmtpProvider, command: str, answer: str, error: type[Exception]
) -> None:
    world.answer = {command: answer}
    with pytest.raises(error):
        send(provider)
    world.answer = None
    assert send(provider)


def test_the_servers_words_are_not_kept_since_they_repeat_the_address(world: World, provider: SmtpProvider) -> None:
    world.answer = {"RCPT": "550 <zoe@x.example> is unknown"}
    with pytest.raises(RefusedError, match=r"^the mail server answered 550$"):
        send(provider)


def test_a_connection_lost_after_the_last_dot_is_an_unknown_outcome(world: World, provider: SmtpProvider) -> None:
    world.answer = {"DATA": "hang up"}
    with pytest.raises(UnknownOutcomeError):
        send(provider)


def test_a_server_that_is_not_there_was_given_nothing() -> None:
    with pytest.raises(OutageError):
        send(SmtpProvider("smtp://127.0.0.1:1"))


def test_a_kept_connection_that_has_gone_cold_is_opened_anew(world: World, provider: SmtpProvider) -> None:
    async def two() -> None:
        await provider.send(a_mail())
        connection = provider._idle[0]._connection
        assert connection is not None
        connection.close()
        await provider.send(a_mail(attempt_id="t-2"))
        await provider.close()

    asyncio.run(two())
    assert (len(world.received), world.connections) == (2, 2)


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_the_scheme_says_how_the_line_is_secured(scheme: str, tmp_path: Path) -> None:
    certificate = _certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with smtp_world(scheme, tls) as world:
        provider = SmtpProvider(world.url, context=ssl.create_default_context(cafile=str(certificate)))
        send(provider)
        assert len(world.received) == 1


def test_a_certificate_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(_certificate(tmp_path))
    with smtp_world("smtp+starttls", tls) as world:
        with pytest.raises(OutageError):
            send(SmtpProvider(world.url))
        assert world.received == []


def test_an_address_of_another_kind_is_a_setting_that_cannot_be() -> None:
    with pytest.raises(SettingsError):
        SmtpProvider("http://127.0.0.1")


def _certificate(folder: Path) -> Path:
    """A key and a self-signed certificate for 127.0.0.1 in one file."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path

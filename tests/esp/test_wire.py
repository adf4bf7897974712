"""The wire of mails against a server that answers by the letter of a script: what is told of each post is true."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from leadflow.esp._wire import BrokenError, UnreachableError, Wire

OK = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: abc\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Says the next words of its script to each request; "" says nothing, "end" closes the connection."""

    def __init__(self, script: Sequence[bytes | str]) -> None:
        self.script = list(script)
        self.connections, self.requests = 0, list[bytes]()
        self.port, self.heard = 0, asyncio.Event()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                self.heard.set()
                said = self.script.pop(0)
                if isinstance(said, bytes):
                    writer.write(said)
                if said == "end":
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving(*script: bytes | str, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(script)
    listening = await asyncio.start_server(server.meet, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


def wire_to(server: Server, *, patience: float = 5.0, scheme: str = "http") -> Wire:
    return Wire(f"{scheme}://127.0.0.1:{server.port}/v3", {"Authorization": "Bearer k"}, connect=5.0, patience=patience)


def begin() -> None:
    """Anything may leave."""


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(test())


def test_posts_go_one_after_the_other_over_one_connection() -> None:
    async def test() -> None:
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        early = b"HTTP/1.1 100 Continue\r\n\r\n" + OK
        async with serving(OK, chunked, early) as server:
            wire = wire_to(server)
            answers = [await wire.post(b'{"n": %d}' % n, begin) for n in range(3)]
            wire.close()
        assert [one.status for one in answers] == [202, 200, 202]
        assert answers[0].headers["x-message-id"] == "abc"
        assert server.connections == 1
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert body == b'{"n": 0}'
        assert head.split(b"\r\n")[0] == b"POST /v3 HTTP/1.1"
        assert b"Authorization: Bearer k" in head

    run(test)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_connection_that_the_server_lets_go_of_is_not_used_again(said: bytes) -> None:
    async def test() -> None:
        async with serving(said, OK) as server:
            wire = wire_to(server)
            assert [(await wire.post(b"{}", begin)).status for _ in range(2)] == [202, 202]
            wire.close()
        assert server.connections == 2

    run(test)


@pytest.mark.parametrize(
    "said",
    [
        "end",
        b"\x00\x01 what a day\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000001\r\n\r\n" + b"x" * 1_000_001,
    ],
)
def test_whoever_ends_or_babbles_leaves_the_post_in_doubt(said: bytes | str) -> None:
    async def test() -> None:
        async with serving(said, OK) as server:
            wire = wire_to(server)
            with pytest.raises(BrokenError):
                await wire.post(b"{}", begin)
            assert (await wire.post(b"{}", begin)).status == 202
            wire.close()

    run(test)


def test_an_answer_that_comes_too_late_answers_nothing_else() -> None:
    async def test() -> None:
        async with serving("", OK) as server:
            wire = wire_to(server, patience=0.05)
            with pytest.raises(TimeoutError):
                await wire.post(b"first", begin)
            assert (await wire.post(b"second", begin)).status == 202
            wire.close()
        assert server.connections == 2

    run(test)


def test_a_post_that_is_cut_off_takes_its_connection_with_it() -> None:
    async def test() -> None:
        async with serving("", OK) as server:
            wire = wire_to(server)
            cut = asyncio.create_task(wire.post(b"first", begin))
            await server.heard.wait()
            cut.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cut
            assert (await wire.post(b"second", begin)).status == 202
            wire.close()
        assert server.connections == 2

    run(test)


def test_what_may_not_begin_sends_no_byte_and_keeps_the_connection() -> None:
    def never() -> None:
        raise LookupError

    async def test() -> None:
        async with serving(OK) as server:
            wire = wire_to(server)
            with pytest.raises(LookupError):
                await wire.post(b"stale", never)
            await wire.post(b"fresh", begin)
            wire.close()
        assert [request.rpartition(b"\r\n")[2] for request in server.requests] == [b"fresh"]
        assert server.connections == 1

    run(test)


def test_nobody_there_means_that_nothing_left() -> None:
    async def test() -> None:
        async with serving() as server:
            pass
        with pytest.raises(UnreachableError):
            await wire_to(server).post(b"{}", begin)

    run(test)


def test_tls_asks_for_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))

    async def test() -> None:
        async with serving(OK, context=context) as server:
            with pytest.raises(UnreachableError, match="SSLCertVerificationError"):
                await wire_to(server, scheme="https").post(b"{}", begin)
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
            wire = wire_to(server, scheme="https")
            assert (await wire.post(b"{}", begin)).status == 202
            wire.close()
            await asyncio.sleep(0.01)

    run(test)


def _certificate(folder: Path) -> Path:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path

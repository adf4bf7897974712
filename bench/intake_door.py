"""The provider's door under load: `leadflow serve`'s web application in a process of its own, a client beside it."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import aiohttp

from bench.intake_rows import PUBLIC_KEY, Post

#: Requests under way at once, as a provider has a handful of senders.
_SENDERS = 8

# What `leadflow serve` starts, without its schedule: a sweep must not begin in the middle of a measurement.
_SERVER = """
import sys
from leadflow.app import open_app
from leadflow.cli.serve import _answer
_answer(open_app(), "127.0.0.1", int(sys.argv[1]))
"""


def free_port() -> int:
    """A port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(database_url: str, workspace: Path, port: int) -> Iterator[str]:
    """The address of the door of a server process."""
    ours = {
        "LEADFLOW_DATABASE_URL": database_url,
        "LEADFLOW_WORKSPACE": str(workspace),
        "LEADFLOW_SECRET": "b" * 32,
        "LEADFLOW_SENDGRID_WEBHOOK_KEYS": PUBLIC_KEY,
        "LEADFLOW_HOOK_KEY": "bench",
    }
    process = subprocess.Popen([sys.executable, "-c", _SERVER, str(port)], env={**os.environ, **ours})
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        try:
            urlopen(address + "/healthz").close()  # noqa: S310 - our own address
        except (URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start")


def send(url: str, posts: Sequence[Post]) -> float:
    """Seconds until every one of `posts` was answered 204."""
    return asyncio.run(_send(url, posts))


async def _send(url: str, posts: Sequence[Post]) -> float:
    waiting = iter(posts)

    async def one_after_the_other(session: aiohttp.ClientSession) -> None:
        for post in waiting:
            async with session.post(url, data=post.body, headers=post.headers) as answer:
                assert answer.status == 204, await answer.text()

    async with aiohttp.ClientSession() as session:
        started = time.perf_counter()
        await asyncio.gather(*(one_after_the_other(session) for _ in range(_SENDERS)))
        return time.perf_counter() - started

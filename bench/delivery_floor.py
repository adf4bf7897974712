"""The floor of delivery: the same templates filled in by the sandbox and posted by aiohttp, nothing else."""

import asyncio
import sys
import time
from pathlib import Path

import aiohttp
import orjson

from leadflow.email.compile import Compiled, compile_email
from leadflow.email.render import Links, context_of
from leadflow.playbook.load import load_playbook

#: Posts on the way at once.
_IN_FLIGHT = 100


def _facts(number: int) -> dict[str, object]:
    names = ("brand.name", "brand.site", "brand.postal_address", "sender.name", "sender.reply_to", "lead.language")
    fixed = dict.fromkeys(names, "Atelier Nord") | {"brand.site": "https://a.example"}
    return {**fixed, "lead.first_name": f"Zoé {number}", "company.name": f"Company {number}", "lead.country": "FR"}


async def _send(compiled: Compiled, numbers: range, url: str) -> None:
    waiting = iter(numbers)
    links = Links(page=str, url=str, unsubscribe="https://a.example/u/1")

    async def some(session: aiohttp.ClientSession) -> None:
        for number in waiting:
            context = context_of(compiled, _facts(number), links) | {"subject": "Hello", "preheader": ""}
            body = orjson.dumps({"html": compiled.html.render(context), "text": compiled.text.render(context)})
            async with session.post(url, data=body) as answer:
                await answer.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_IN_FLIGHT)) as session:
        await asyncio.gather(*(some(session) for _ in range(_IN_FLIGHT)))


def main() -> None:
    """Compile, say so, wait for the word, send, say how many seconds it took."""
    workspace, email, url, first, end = sys.argv[1:]
    playbook = load_playbook(Path(workspace))
    compiled = compile_email(playbook.emails[email], "en", playbook.base)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    asyncio.run(_send(compiled, range(int(first), int(end)), url))
    print(time.monotonic() - began, flush=True)


if __name__ == "__main__":
    main()

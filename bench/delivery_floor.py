"""The floor of delivery: the same mail filled in by Jinja's sandbox and posted by aiohttp, nothing else."""

import asyncio
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import orjson
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from leadflow.email.compile import Compiled, compile_email
from leadflow.email.render import Links, render_email
from leadflow.playbook.load import load_playbook

#: Posts on the way at once.
_IN_FLIGHT = 100
_PERSON = ("lead.first_name", "company.name", "lead.country")
_FIXED = ("brand.name", "brand.site", "brand.postal_address", "sender.name", "sender.reply_to", "lead.language")


def _as_written(compiled: Compiled) -> tuple[Template, Template]:
    """HTML and text as templates that a sandbox fills in the plain way: its links and its reader's values are asked."""
    facts = {**dict.fromkeys(_FIXED, "Atelier Nord"), **{name: f"@@{name}@@" for name in _PERSON}}
    links = Links(
        page='@@links.page("{}")@@'.format, url='@@links.url("{}")@@'.format, unsubscribe="https://a.example/u"
    )
    mail = render_email(compiled, facts, links)
    html = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    text = ImmutableSandboxedEnvironment(autoescape=False, undefined=StrictUndefined)
    return html.from_string(_asked(mail.html.replace("&#34;", '"'))), text.from_string(_asked(mail.text))


def _asked(source: str) -> str:
    return re.sub("@@(.+?)@@", r"{{ \1 }}", source)


def _context(number: int) -> dict[str, object]:
    return {
        "lead": SimpleNamespace(first_name=f"Zoé {number}", country="FR"),
        "company": SimpleNamespace(name=f"Company {number}"),
        "links": SimpleNamespace(page=str, url=str),
    }


async def _send(html: Template, text: Template, numbers: range, url: str) -> None:
    waiting = iter(numbers)

    async def some(session: aiohttp.ClientSession) -> None:
        for number in waiting:
            context = _context(number)
            body = orjson.dumps({"html": html.render(context), "text": text.render(context)})
            async with session.post(url, data=body) as answer:
                await answer.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_IN_FLIGHT)) as session:
        await asyncio.gather(*(some(session) for _ in range(_IN_FLIGHT)))


def main() -> None:
    """Compile, say so, wait for the word, send, say how many seconds it took."""
    workspace, email, url, first, end = sys.argv[1:]
    playbook = load_playbook(Path(workspace))
    html, text = _as_written(compile_email(playbook.emails[email], "en", playbook.base))
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    asyncio.run(_send(html, text, range(int(first), int(end)), url))
    print(time.monotonic() - began, flush=True)


if __name__ == "__main__":
    main()

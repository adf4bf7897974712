"""Rendering in a child process: mails a second of one core, beside the plain sandbox filling in the same templates."""

import gc
import hmac
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from unittest.mock import patch

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bench.delivery_rows import EMAIL, make_workspace
from bench.table import Line, Say, show
from leadflow.email.compile import compile_email
from leadflow.email.frames import Shape
from leadflow.email.pool import Renderers, Task
from leadflow.email.render import Rendered
from leadflow.email.sandbox import HTML
from leadflow.email.slots import with_slots
from leadflow.links import click_urls, sign_unsubscribe, unsubscribe_url
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook

MAILS, REPEATS, BATCH = 2_000, 5, 100
#: Mails a second of one core; and at least this share of what the plain sandbox manages.
LEAST, SHARE = 1_500, 0.8
_KEY, _SITE = "a key", "https://mail.atelier-nord.example"

#: Signs of HTML, at least: nobody measured a page of errors.
_LONG = 20_000

Fill = Callable[[range], int]


def lines(say: Say, mails: int = MAILS) -> list[Line]:
    """What a mail of 24 KB with 24 links costs in all processes together."""
    say(f"rendering: {REPEATS} times {mails:,} mails each way")
    with tempfile.TemporaryDirectory() as folder, Renderers() as renderers:
        make_workspace(Path(folder))
        playbook = load_playbook(Path(folder))
        shape = renderers.compile(playbook.emails[EMAIL], "en", playbook.base)
        ours, raw = _ours(renderers, shape), _raw(playbook)
        child = renderers.pids[0]
        pairs = [(_speed(ours, mails, child), _speed(raw, mails, child)) for _ in range(REPEATS + 1)]
    # The first of each warms up; pairs are of the same minute, so that both meet the same other load.
    ours_each, raw_each = zip(*pairs[1:], strict=True)
    return _lines(median(ours_each), median(raw_each), median(one / other for one, other in pairs[1:]))


def _lines(ours: float, raw: float, ratio: float) -> list[Line]:
    what = "mails of 24 KB with 24 links, written by a child"
    figure, floor = f"{ours:,.0f}/s a core", f"{raw:,.0f}/s a core"
    return [
        Line(what=what, database="", figure=figure, promise=f"≥ {LEAST:,}/s a core", kept=ours >= LEAST),
        Line(
            what="  beside the plain sandbox",
            database="",
            figure=figure,
            floor=floor,
            ratio=ratio,
            promise=f"≥ {SHARE:g} ×",
            kept=ratio >= SHARE,
        ),
    ]


def _speed(fill: Fill, mails: int, child: int) -> float:
    """Mails a second of processor time, of this process and its child's together."""
    gc.collect()
    before = time.process_time() + _time_of(child)
    written = fill(range(mails))
    assert written == mails, f"{written} of {mails} mails"
    return mails / (time.process_time() + _time_of(child) - before)


def _time_of(process: int) -> float:
    # The clock of another process, as clock_getcpuclockid(3) makes it.
    return time.clock_gettime((~process << 3) | 2)


def _facts(number: int) -> dict[str, object]:
    return {
        "brand.name": "Atelier Nord",
        "brand.site": "https://atelier-nord.example",
        "brand.postal_address": "12 rue des Arts, 59000 Lille",
        "company.name": f"Company {number}",
        "lead.first_name": f"Zoé {number}",
        "lead.last_name": "Petit",
        "lead.country": "FR",
        "lead.language": "en",
        **dict.fromkeys(f"lead.field_{one}" for one in range(6)),
        "question.field": "budget",
        "question.label": "Your budget",
        "segment.name": "shops",
        "segment.title": "Shops",
        "sender.name": "Camille Roux",
        "sender.first_name": "Camille",
        "sender.reply_to": "bonjour@atelier-nord.example",
    }


def _ours(renderers: Renderers, shape: Shape) -> Fill:
    targets = range(1, len(shape.slots) + 1)

    def task(number: int) -> Task:
        leave = unsubscribe_url(_SITE, sign_unsubscribe(_KEY, number, "nurture"))
        links = click_urls(_KEY, _SITE, number, targets)
        return Task(shape=shape, facts=_facts(number), links=links, unsubscribe=leave)

    def fill(numbers: range) -> int:
        batches = (numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH))
        return sum(_whole(renderers.render([task(number) for number in batch])) for batch in batches)

    return fill


def _whole(mails: Sequence[object]) -> int:
    return sum(isinstance(mail, Rendered) and len(mail.html) > _LONG for mail in mails)


def _raw(playbook: Playbook) -> Fill:
    """The sandbox as Jinja has it, the templates as they are before links and values become plain names in them."""
    environments = [ImmutableSandboxedEnvironment(autoescape=on, undefined=StrictUndefined) for on in (True, False)]
    html, text = (
        environment.from_string(source) for environment, source in zip(environments, _sources(playbook), strict=True)
    )
    strings = SimpleNamespace(**{name: texts["en"] for name, texts in playbook.base.strings.items()})

    def signed(number: int) -> Callable[[str], str]:
        def link(target: str) -> str:
            word = f"{number}.{target}"
            return f"{_SITE}/c/{word}.{hmac.digest(_KEY.encode(), word.encode(), 'sha256').hex()}"

        return link

    def fill(numbers: range) -> int:
        written = 0
        for number in numbers:
            link = signed(number)
            links = SimpleNamespace(page=link, url=link, unsubscribe=link("leave"), preferences=link("choose"))
            frame = {"language": "en", "subject": "Hello", "preheader": "", "strings": strings, "links": links}
            context = frame | _groups(_facts(number))
            written += len(html.render(context)) > _LONG and len(text.render(context)) > 0
        return written

    return fill


def _groups(facts: Mapping[str, object]) -> dict[str, SimpleNamespace]:
    groups: dict[str, SimpleNamespace] = {}
    for name, value in facts.items():
        group, _dot, leaf = name.partition(".")
        setattr(groups.setdefault(group, SimpleNamespace()), leaf, value)
    return groups


def _sources(playbook: Playbook) -> tuple[str, str]:
    """The templates of HTML and text that compiling comes to."""
    with patch("leadflow.email.compile.with_slots", wraps=with_slots) as made:
        compile_email(playbook.emails[EMAIL], "en", playbook.base)
    found = [call.args[:2] for call in made.call_args_list]
    html = next(source for environment, source in found if environment is HTML)
    return html, found[-1][1]


if __name__ == "__main__":
    print(show(lines(lambda what: print(what, file=sys.stderr), int(sys.argv[1]) if sys.argv[1:] else MAILS)))

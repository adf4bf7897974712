"""More than 500 hostile templates: each is refused, or ended within its limits, or comes to a harmless mail."""

import html
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import pytest
from playwright.sync_api import Page

from leadflow.email.catalog import Email
from leadflow.email.child import MEMORY
from leadflow.email.pool import SECONDS, Renderers, Task
from leadflow.email.render import Rendered
from leadflow.errors import TemplateError
from tests.email.hostile.chromium import look_at
from tests.email.hostile.frame import BASE
from tests.email.hostile.pages import pages
from tests.email.hostile.walks import templates
from tests.email.test_compile import FACTS
from tests.soak import SOAK

PARTS = ("body", "subject", "text", "preheader")
#: A name with which loops have something to turn around, and which no error may quote.
NAME = "abcdefghijklmnopqrst"
#: Of processor time a mail; a third in every run, since what matters is that it ends.
PATIENCE = SECONDS if SOAK else SECONDS / 3
_INNARDS = re.compile(r"<class |<function|<bound|<module|object at 0x|__\w+__|root:[x*]:|namespace\(|<generator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a hostile template came to."""

    part: str
    kind: str
    source: str
    mail: Rendered | None
    refused: str
    #: Of processor time, in all processes.
    seconds: float


@pytest.fixture(scope="module")
def ended() -> Iterator[list[Ended]]:
    """The end of every one."""
    with Renderers(seconds=PATIENCE) as renderers:
        yield [_end(renderers, part, kind, source) for part, kind, source in corpus()]


def corpus() -> Iterator[tuple[str, str, str]]:
    """(part, kind, source) of each; what needs only Jinja's syntax takes its turn in every part of an email."""
    for number, source in enumerate(templates()):
        yield PARTS[number % len(PARTS)], "md", source
    for kind, source in pages():
        yield "body", kind, source


def hostile(part: str, kind: str, source: str) -> Email:
    given = {"body": "a", "subject": "a", "text": "a", "preheader": "a"} | {part: source}
    return Email(
        name="hostile",
        subject={"en": given["subject"]},
        preheader={"en": given["preheader"]},
        bodies={"en": given["body"]},
        kinds={"en": kind},
        texts={"en": given["text"]} if part == "text" else {},
    )


def _end(renderers: Renderers, part: str, kind: str, source: str) -> Ended:
    before = _spent(renderers)
    found: Rendered | TemplateError
    try:
        shape = renderers.compile(hostile(part, kind, source), "en", BASE)
        links = [f"https://t.example/{number}" for number in range(len(shape.slots))]
        facts = FACTS | {"lead.first_name": NAME}
        (found,) = renderers.render([Task(shape=shape, facts=facts, links=links, unsubscribe="https://t.example/u")])
    except TemplateError as error:
        found = error
    refused = str(found) if isinstance(found, TemplateError) else ""
    mail = found if isinstance(found, Rendered) else None
    return Ended(part=part, kind=kind, source=source, mail=mail, refused=refused, seconds=_spent(renderers) - before)


def _spent(renderers: Renderers) -> float:
    gone = getrusage(RUSAGE_CHILDREN)
    alive = sum(time.clock_gettime((~pid << 3) | 2) for pid in renderers.pids)
    return time.process_time() + gone.ru_utime + gone.ru_stime + alive


def test_there_are_more_than_500_and_no_two_are_the_same(ended: list[Ended]) -> None:
    assert len({(one.part, one.kind, one.source) for one in ended}) == len(ended) > 500


def test_each_ends_within_two_seconds_of_a_processor(ended: list[Ended]) -> None:
    assert [(one.source[:60], one.seconds) for one in ended if one.seconds > 2] == []


def test_what_is_refused_is_refused_in_words_that_quote_nobody(ended: list[Ended]) -> None:
    refused = [one.refused for one in ended if one.mail is None]
    assert len(refused) > 500
    assert [words for words in refused if not words or "Traceback" in words or NAME in words] == []


def test_what_is_written_is_harmless(ended: list[Ended]) -> None:
    mails = [(one.source[:80], one.mail) for one in ended if one.mail is not None]
    assert [(source, found) for source, mail in mails if (found := _harm(mail))] == []


def _harm(mail: Rendered) -> str:
    shown = _INNARDS.search(f"{mail.subject}\n{mail.preheader}\n{mail.text}")
    reader = _Reader()
    reader.feed(mail.html)
    return shown[0] if shown else reader.harm


class _Reader(HTMLParser):
    """A second opinion: what is dangerous, where the renderer says what is allowed."""

    harm = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "form", "input", "base", "link", "svg", "math", "template"}:
            self.harm = tag
        for name, value in attrs:
            meant = re.sub(r"[\x00-\x20]", "", (value or "").lower())
            if (
                name.startswith("on")
                or re.match(r"(java|vb)script:|data:|//|blob:|file:", meant)
                or "expression(" in meant
            ):
                self.harm = f"{name}={value}"


def test_the_same_renderers_go_on_writing_mails(ended: list[Ended]) -> None:
    assert ended
    with Renderers() as renderers:
        poison = hostile("body", "md", "{% set a = 'ab' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}")
        shapes = [renderers.compile(email, "en", BASE) for email in (poison, hostile("body", "md", "fine"))]
        tasks = [Task(shape=shape, facts=FACTS, links=[], unsubscribe="https://t.example/u") for shape in shapes]
        assert [type(one).__name__ for one in renderers.render(tasks * 2)] == ["TemplateError", "Rendered"] * 2


def test_a_child_has_no_environment_no_file_and_256_mb() -> None:
    with Renderers() as renderers:
        renderers.compile(hostile("body", "md", "fine"), "en", BASE)
        place = Path(f"/proc/{renderers.pids[0]}")
        limits = {line[:26].strip(): line[26:47].strip() for line in (place / "limits").read_text().splitlines()}
        assert {"Max address space": str(MEMORY), "Max open files": "0", "Max processes": "0"}.items() <= limits.items()
        assert {"Max file size": "0", "Max core file size": "0"}.items() <= limits.items()
        assert ((place / "environ").read_bytes(), (place / "cwd").readlink()) == (b"", Path("/"))
        opened = {end.name: str(end.readlink()).partition(":")[0] for end in (place / "fd").iterdir()}
        assert opened == {"0": "pipe", "1": "pipe", "2": "/dev/null"}


@pytest.mark.browser
def test_nothing_runs_or_loads_in_a_real_browser(ended: list[Ended], page: Page) -> None:
    mails = [one.mail.html for one in ended if one.mail is not None and len(one.mail.html) < 50_000]
    frames = "".join(f'<iframe class="mail" srcdoc="{html.escape(mail)}"></iframe>' for mail in mails)
    seen = look_at(page, "<!doctype html><meta charset=utf-8>" + frames)
    assert len(mails) > 20
    assert (seen.dialogs, seen.requests, seen.handlers, seen.active) == ([], [], 0, 0)
    assert set(seen.schemes) <= {"http:", "https:", "mailto:", "tel:"}


@pytest.mark.browser
def test_the_browser_would_have_said_so(page: Page) -> None:
    seen = look_at(page, '<img src="x" onerror="alert(1)"><a href="javascript:alert(2)">a</a>')
    assert (seen.dialogs, seen.requests, seen.handlers) == (["1"], ["http://hostile.example/x"], 1)
    assert seen.schemes == ["javascript:"]

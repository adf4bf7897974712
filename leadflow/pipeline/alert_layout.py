"""Lays an alert out: lines for chats, files and terminals; a page of plain tables for mailboxes."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from leadflow.pipeline.alert_text import Told
from leadflow.text import _, current_language


def as_text(told: Sequence[Told]) -> str:
    """All hand-overs of one alert, one below the other; a single one without the heading its title repeats."""
    if len(told) == 1:
        return "\n".join(_lines(told[0]))
    parts = (f"{n}. {one.title}\n" + "\n".join(_lines(one)) for n, one in enumerate(told, start=1))
    return "\n\n".join(parts)


def _lines(told: Told) -> Iterator[str]:
    width = max(len(block.title) for block in told.blocks)
    for block in told.blocks:
        for n, line in enumerate(block.lines):
            yield f"{block.title if n == 0 else '':<{width}}   {line}"
    yield ""
    for words, url in told.answers:
        yield f"[ {words} ]  {url}"
    if told.meeting:
        yield _("For your calendar: {url}").format(url=told.meeting)
    if told.silence:
        yield told.silence
    yield " · ".join(told.footer[1:])
    yield told.footer[0]


def as_html(title: str, told: Sequence[Told]) -> str:
    """The same for a mailbox: inline styles and tables, which every mail program shows alike."""
    return _template().render(language=current_language(), title=title, told=told, calendar=_("For your calendar"))


@cache
def _template() -> Template:
    source = files("leadflow.pipeline").joinpath("templates/alert.html").read_text(encoding="utf-8")
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.from_string(source)

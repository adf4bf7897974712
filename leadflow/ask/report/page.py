"""The whole report as one HTML page that opens without a network: inline style and pictures, no script, no address."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from leadflow.ask.report import numbers
from leadflow.ask.report.collect import Everything, asked_at
from leadflow.ask.report.funnel_sheets import funnel_sheet, period_words, standing_sheet, steps_sheet
from leadflow.ask.report.journey_pictures import flow_picture, funnel_picture
from leadflow.ask.report.odd import count_odd
from leadflow.ask.report.other_pictures import clocks_picture, fates, marks, weeks_picture
from leadflow.ask.report.other_sheets import (
    clocks_sheet,
    emails_sheet,
    odd_counts_sheet,
    odd_sheet,
    sales_sheet,
    weeks_sheet,
)
from leadflow.ask.report.sheet import Sheet
from leadflow.ask.report.words import group_words
from leadflow.playbook.model import Playbook
from leadflow.text import _, current_language

_OPTION = re.compile(r"--[a-z]+( \d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A picture with the table of its numbers beside it, and tables below."""

    title: str
    text: str = ""
    #: The same picture wide and narrow.
    picture: tuple[Markup, ...] = ()
    #: Class of a colour → what it stands for.
    legend: Mapping[str, str]
    beside: Sheet | None = None
    below: tuple[Sheet, ...] = ()


def page_of(found: Everything, playbook: Playbook) -> str:
    """The page, in the language people read."""
    question, now = found.question, asked_at(found.question)
    words = {
        "title": _("From lead to customer"),
        "lead": _("People who entered {when}").format(when=period_words(question)),
        "as_of": _("as of {day} at {time}").format(
            day=numbers.day(now.astimezone(question.zone).date(), year=True),
            time=f"{now.astimezone(question.zone):%H:%M}",
        ),
        "nobody": _("nobody entered in these months"),
        "foot": _(
            "Made by leadflow from the rows of the workspace, playbook {playbook}. No lead is named here."
        ).format(playbook=playbook.short),
    }
    return _template().render(
        language=current_language(),
        brand=playbook.brand.name,
        words=words,
        tiles=list(_tiles(found)),
        parts=list(_parts(found, playbook)),
        style=Markup(_source("page.css")),  # noqa: S704 - our own file
    )


def _tiles(found: Everything) -> Iterator[tuple[str, str]]:
    total = found.funnels[found.question.by].total
    if total is None:
        return
    yield numbers.whole(total.people), _("people")
    yield numbers.whole(total.prospects), _("became prospects")
    yield numbers.whole(total.customers), _("became customers")
    yield numbers.money(total.amount), _("in won deals")


def _parts(found: Everything, playbook: Playbook) -> Iterator[Part]:
    question, zone = found.question, found.question.zone
    yield from _journey(found)
    asked = found.funnels[question.by]
    if asked.total is not None:
        sheets = [_named(funnel_sheet(one, playbook), by) for by, one in found.funnels.items()]
        yield Part(title=_("Who came from where"), legend={}, below=tuple(_said_once(sheets)))
    if found.weeks:
        legend = {f"mail-{fate}": name for fate, name in fates().items()}
        yield Part(
            title=_("Mails"),
            picture=_marked(weeks_picture(found.weeks)),
            legend=legend,
            beside=weeks_sheet(found.weeks),
            below=(emails_sheet(found.emails, zone, found.edits),),
        )
    if found.reps:
        legend = {f"clock-{mark}": name for mark, name in marks().items()}
        yield Part(
            title=_("Hand-overs to sales"),
            picture=_marked(clocks_picture(found.reps)),
            legend=legend,
            beside=clocks_sheet(found.reps),
            below=(sales_sheet(found.reps),),
        )
    if found.odd:
        listed = odd_sheet(found.odd, zone, named=False)
        yield Part(title=_("Odd histories"), legend={}, beside=odd_counts_sheet(count_odd(found.odd)), below=(listed,))


def _journey(found: Everything) -> Iterator[Part]:
    question = found.question
    total = found.funnels[question.by].total
    if total is None:
        return
    yield Part(
        title=_("How far people came"),
        text=_("Everybody is counted once, at every step they ever reached."),
        picture=_marked(funnel_picture(total, question.stages)),
        legend={},
        beside=steps_sheet(total, question.stages),
    )
    if found.flow is not None:
        yield Part(
            title=_("Where people went on to"),
            text=_("As thick as the people who went from a step to a further one; the table is where they stand now."),
            picture=_marked(flow_picture(found.flow)),
            legend={},
            beside=standing_sheet(found.standing, question.stages),
        )


def _named(sheet: Sheet, by: str) -> Sheet:
    return replace(sheet, title=_("By {group}").format(group=group_words(by)), lead="")


def _said_once(sheets: Sequence[Sheet]) -> Iterator[Sheet]:
    """The sheets, each note under the last one that has it."""
    for place, sheet in enumerate(sheets):
        later = {note for other in sheets[place + 1 :] for note in other.notes}
        yield replace(sheet, notes=tuple(note for note in sheet.notes if note not in later))


def _marked(pictures: Sequence[str]) -> tuple[Markup, ...]:
    return tuple(Markup(picture) for picture in pictures)  # noqa: S704 - drawn by us, every word escaped


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["options"] = _options
    return environment.from_string(_source("page.html"))


def _options(note: str) -> Markup:
    """Options such as --age 30 stay on one line."""
    return Markup(_OPTION.sub(r'<span class="option">\g<0></span>', str(escape(note))))  # noqa: S704 - escaped just now


def _source(name: str) -> str:
    return files("leadflow.ask.report").joinpath(name).read_text(encoding="utf-8")

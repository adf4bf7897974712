"""What a mail looks like for a person before it is sent: the renderer that sends, links that lead straight to pages."""

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, Self, cast
from zoneinfo import ZoneInfo

from leadflow.app.preview_readers import Reader, reader
from leadflow.app.workspace import Print, print_of
from leadflow.email.catalog import Email
from leadflow.email.lint import lint_mail
from leadflow.email.pool import Renderers, Task
from leadflow.email.preview import page_url
from leadflow.email.render import MissingValueError, Rendered
from leadflow.errors import Fault, PlaybookError, Severity, TemplateError, UsageError
from leadflow.links import TEST_WORD, confirm_url, preferences_url, unsubscribe_url
from leadflow.pipeline.deliver_content import facts_of, sender_of
from leadflow.playbook.emails import BASE, FOLDER
from leadflow.playbook.load import check_playbook
from leadflow.playbook.model import Playbook, Sender
from leadflow.reading import did_you_mean
from leadflow.settings import Settings
from leadflow.text import _, current_language

_NAME = re.compile(r"([\w.]+) has no value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The workspace as its files are at one moment; no playbook while they have errors."""

    print: Print
    playbook: Playbook | None
    faults: Sequence[Fault]

    def sound(self) -> Playbook:
        """The playbook; PlaybookError while there is none."""
        if self.playbook is None:
            raise PlaybookError([fault for fault in self.faults if fault.severity is Severity.ERROR])
        return self.playbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One email as one person would get it; `rendered` is None where it would not be sent, and `refused` says why."""

    email: Email
    reader: Reader
    sender: Sender
    rendered: Rendered | None = None
    refused: str = ""
    unsubscribe_url: str = ""
    #: What `leadflow check` says of its files, and what the finished mail shows.
    findings: tuple[Fault, ...] = ()
    #: (words, where it leads) of each link of the HTML.
    links: tuple[tuple[str, str], ...] = ()


class Workbench:
    """A workspace whose files change under our eyes: read again when they have, written with in a child process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.renderers = Renderers()
        self._lock = threading.Lock()
        self._read: dict[str, Reading] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_gone: object) -> None:
        self.renderers.close()

    def print(self) -> Print:
        """Of the files as they are now."""
        return print_of(self.settings.workspace)

    def read(self) -> Reading:
        """The playbook of today's files, with its faults in the language people read."""
        language = current_language()
        with self._lock:
            found, known = self.print(), self._read.get(language)
            if known is None or known.print != found:
                playbook, faults = check_playbook(self.settings.workspace)
                known = self._read[language] = Reading(print=found, playbook=playbook, faults=faults)
            return known

    def preview(
        self,
        reading: Reading,
        name: str,
        now: datetime,
        *,
        language: str | None = None,
        lead: str = "sample",
        variant: str | None = None,
    ) -> Preview:
        """The email `name` for `lead`; PlaybookError for files with errors, UsageError for what nobody knows."""
        playbook = reading.sound()
        whose = reader(self.settings, playbook, email_called(playbook, name), language, lead, variant)
        return self.preview_for(playbook, whose, now, reading.faults)

    def preview_for(self, playbook: Playbook, whose: Reader, now: datetime, faults: Sequence[Fault] = ()) -> Preview:
        """The mail of `whose` at `now`, and what is wrong with it; `faults` are those of all files."""
        email, row = playbook.emails[whose.email].as_variant(whose.variant), cast("Any", whose)
        sender = sender_of(playbook, row)
        leave = unsubscribe_url(self.settings.public_url, TEST_WORD)
        body = f"{FOLDER}/{email.name}/{email.body_file(whose.language)}"
        theirs = tuple(fault for fault in faults if fault.file.startswith((f"{FOLDER}/{email.name}/", f"{BASE}/")))
        shown = Preview(email=email, reader=whose, sender=sender, findings=theirs, unsubscribe_url=leave)
        facts = facts_of(playbook, row, sender, now.astimezone(ZoneInfo(playbook.office.zone)))
        try:
            rendered = self._written(playbook, email, whose.language, facts, leave)
        except MissingValueError as error:
            return replace(shown, refused=_lacking(error))
        except TemplateError as error:
            found = Fault(file=body, line=error.line, column=error.column, message=str(error))
            return replace(shown, refused=_("this mail cannot be written"), findings=(*theirs, found))
        address = playbook.brand.postal_address
        seen = lint_mail(rendered, language=whose.language, unsubscribe_url=leave, postal_address=address)
        on_mail = (Fault(file=body, message=message, severity=Severity.WARNING) for message in seen)
        findings = tuple(dict.fromkeys((*theirs, *on_mail)))
        return replace(shown, rendered=rendered, findings=findings, links=links_of(rendered.html))

    def _written(
        self, playbook: Playbook, email: Email, language: str, facts: Mapping[str, object], leave: str
    ) -> Rendered:
        shape = self.renderers.compile(email, language, playbook.base)
        site, public = playbook.brand.site, self.settings.public_url
        links = [page_url(site, target, public) if kind == "page" else target for kind, target in shape.slots.values()]
        task = Task(
            shape=shape,
            facts=facts,
            links=links,
            unsubscribe=leave,
            preferences=preferences_url(public, TEST_WORD),
            confirm=confirm_url(public, TEST_WORD),
        )
        (outcome,) = self.renderers.render([task])
        if isinstance(outcome, TemplateError):
            raise outcome
        return outcome


def email_called(playbook: Playbook, name: str) -> Email:
    """The email `name`; UsageError, with the nearest name, where there is none."""
    if name not in playbook.emails:
        told = _("no email is called {name}.").format(name=name)
        raise UsageError(told + did_you_mean(name, playbook.emails))
    return playbook.emails[name]


def _lacking(error: MissingValueError) -> str:
    told = _("this person would not get this mail: {name} is missing, and has no default")
    name = _NAME.search(str(error))
    return told.format(name=name[1] if name else error)


def links_of(html: str) -> tuple[tuple[str, str], ...]:
    """(words, where it leads) of each link of `html`, in order."""
    page = _Links()
    page.feed(html)
    return tuple((" ".join("".join(words).split()), href) for words, href in page.found)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[list[str], str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.found.append(([], given["href"] or ""))
            self._inside = True
        elif tag == "img" and self._inside:
            self.found[-1][0].append(given.get("alt") or "")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1][0].append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "a"

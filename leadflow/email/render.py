"""Fills a compiled email in for one person: plain data in, subject, preheader, HTML and text out."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from jinja2 import TemplateError as JinjaError

from leadflow.email.compile import Compiled
from leadflow.email.output import breaks_out
from leadflow.email.pieces import OTHER, Page
from leadflow.email.sandbox import NoValueError, missing
from leadflow.errors import TemplateError

#: Signs that turn the direction of all that follows: a name would turn the sentence around it.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class MissingValueError(TemplateError):
    """A value that the mail needs is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where the links of one mail lead."""

    #: Address of a page of the site, or whole address, → the address printed in the mail.
    page: Callable[[str], str]
    url: Callable[[str], str]
    unsubscribe: str
    #: Where a reader chooses what to get; the unsubscribe page where the site has no other.
    preferences: str = ""
    #: What the mail asks its reader to confirm; most mails ask nothing.
    confirm: str = ""
    #: By slot, where they were made all at once.
    made: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A mail as one person gets it."""

    subject: str
    preheader: str
    html: str
    text: str
    #: Both as JSON, where they were put together from pieces that are; empty elsewhere.
    html_json: bytes = field(default=b"", compare=False, repr=False)
    text_json: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A mail that is still in pieces."""

    subject: str
    preheader: str
    html: Page
    text: Page


def render_email(compiled: Compiled, facts: Mapping[str, object], links: Links) -> Rendered:
    """`draw_email`, put together."""
    drawn = draw_email(compiled, facts, links)
    html, text = "".join(drawn.html.pieces), "".join(drawn.text.pieces)
    return Rendered(subject=drawn.subject, preheader=drawn.preheader, html=html, text=text)


def draw_email(compiled: Compiled, facts: Mapping[str, object], links: Links) -> Drawn:
    """`compiled` filled in with `facts` (dotted name → value; None and '' are missing).

    A name that `facts` does not list at all is a template's mistake (TemplateError); a listed one without a value and
    without a default raises MissingValueError where it would show.
    """
    context = context_of(compiled, facts, links)
    try:
        subject = one_line(compiled.subject.render(context))
        preheader = one_line(compiled.preheader.render(context))
        whole = context | {"subject": subject, "preheader": preheader}
        html = compiled.html.pieces(whole)
        # Where no value has any of these signs, all there are are the template's.
        if _has_signs("".join(html.said)) and breaks_out("".join(html.pieces), compiled.most):
            raise TemplateError(f"{compiled.name} ({compiled.language}): a value was not escaped")
        return Drawn(
            subject=subject,
            preheader=preheader,
            html=html,
            text=_tidied(compiled.text.pieces(whole)),
        )
    except NoValueError as error:
        raise MissingValueError(f"{compiled.name} ({compiled.language}): {error.message}") from error
    except (JinjaError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        # The message may quote a person's value: the kind of error says enough.
        raise TemplateError(f"{compiled.name} ({compiled.language}): {type(error).__name__}") from error


def _has_signs(said: str) -> bool:
    return "<" in said or '"' in said or "\0" in said


def one_line(text: str) -> str:
    """`text` without control characters, on one line, with single spaces."""
    if text.isprintable() and "  " not in text and text == text.strip(" "):
        return text
    kept = "".join(" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign for sign in _TURNS.sub("", text))
    # Spaces that do not break are French typography: they stay.
    return re.sub(" +", " ", kept.encode("utf-8", "ignore").decode()).strip(" ")


def context_of(compiled: Compiled, facts: Mapping[str, object], links: Links) -> dict[str, Any]:
    """What the templates of `compiled` may look at: the values they name, each under a name of its own."""
    made = links.made
    if made is None:
        made = {slot: getattr(links, kind)(target) for slot, (kind, target) in compiled.slots.items()}
    context: dict[str, Any] = {
        "language": compiled.language,
        "now": facts.get("now") or missing("now"),
        "_links_unsubscribe": links.unsubscribe,
        "_links_preferences": links.preferences or links.unsubscribe,
        "_links_confirm": links.confirm or missing("links.confirm"),
        **made,
    }
    for part in compiled.parts:
        for name, dotted in part.values.items():
            if name not in context and dotted in facts:
                context[name] = _value(dotted, facts[dotted], compiled.defaults)
            elif dotted.startswith("strings.") and (word := dotted.removeprefix("strings.")) in compiled.strings:
                context[name] = compiled.strings[word]
        for group in part.groups:
            context[group] = _group(group, compiled, facts, links)
    return context


def _group(group: str, compiled: Compiled, facts: Mapping[str, object], links: Links) -> SimpleNamespace:
    """Everything of a group, for templates that look into it by a way that is not known beforehand."""
    if group == "links":
        leave, choose = links.unsubscribe, links.preferences or links.unsubscribe
        confirm = links.confirm or missing("links.confirm")
        return SimpleNamespace(page=links.page, url=links.url, unsubscribe=leave, preferences=choose, confirm=confirm)
    if group == "strings":
        return SimpleNamespace(**compiled.strings)
    ours = ((name.partition(".")[2], name) for name in facts if name.startswith(f"{group}."))
    return SimpleNamespace(**{leaf: _value(name, facts[name], compiled.defaults) for leaf, name in ours})


def _value(name: str, value: object, defaults: Mapping[str, str]) -> object:
    if isinstance(value, str):
        value = one_line(value)
    if value is None or value == "":
        return defaults.get(name, missing(name))
    return value


def _tidied(page: Page) -> Page:
    """`page` as `_tidy` leaves it, which is as it is where neither the template nor what is said needs it."""
    if all(said.strip() == said != "" for said in page.said) and not _is_odd("".join(page.said)):
        end = _missing_end(
            tuple("x" if name is OTHER else piece for name, piece in zip(page.order, page.pieces, strict=True))
        )
        if end == "":
            return page
        if end is not None:
            return page.then(end)
    return Page.of(_tidy("".join(page.pieces)))


def _is_odd(said: str) -> bool:
    return "\n" in said or "\t" in said


@lru_cache(maxsize=128)
def _missing_end(pieces: tuple[str, ...]) -> str | None:
    """What `_tidy` adds to the end of `pieces`; None where it does more."""
    text = "".join(pieces)
    tidy = _tidy(text)
    return tidy.removeprefix(text) if tidy.startswith(text) else None


def _tidy(text: str) -> str:
    """No blanks at the ends of lines, no two empty lines; plain searches cost nothing where there are none."""
    # A single sign is found in a hundredth of the time that two take, and few texts have a tab.
    if "\t" in text:
        text = text.replace("\t", " ")
    # From the end they are found in half the time.
    while text.rfind(" \n") >= 0:
        text = text.replace(" \n", "\n")
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip() + "\n"

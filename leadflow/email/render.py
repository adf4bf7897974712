"""Fills a compiled email in for one person: plain data in, subject, preheader, HTML and text out."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from jinja2 import TemplateError as JinjaError

from leadflow.email.compile import Compiled
from leadflow.email.sandbox import NoValueError, missing
from leadflow.errors import TemplateError


class MissingValueError(TemplateError):
    """A value that the mail needs is missing."""


_GROUPS = ("brand", "company", "lead", "question", "segment", "sender")


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where the links of one mail lead."""

    #: Address of a page of the site, or whole address, → the address printed in the mail.
    page: Callable[[str], str]
    url: Callable[[str], str]
    unsubscribe: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A mail as one person gets it."""

    subject: str
    preheader: str
    html: str
    text: str


def render_email(compiled: Compiled, facts: Mapping[str, object], links: Links) -> Rendered:
    """`compiled` filled in with `facts` (dotted name → value; None and '' are missing).

    A name that `facts` does not list at all is a template's mistake (TemplateError); a listed one without a value and
    without a default raises MissingValueError where it would show.
    """
    context = _context(compiled, facts, links)
    try:
        subject = one_line(compiled.subject.render(context))
        preheader = one_line(compiled.preheader.render(context))
        whole = context | {"subject": subject, "preheader": preheader}
        return Rendered(
            subject=subject,
            preheader=preheader,
            html=compiled.html.render(whole),
            text=_tidy(compiled.text.render(whole)),
        )
    except NoValueError as error:
        raise MissingValueError(f"{compiled.name} ({compiled.language}): {error.message}") from error
    except (JinjaError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        # The message may quote a person's value: the kind of error says enough.
        raise TemplateError(f"{compiled.name} ({compiled.language}): {type(error).__name__}") from error


def one_line(text: str) -> str:
    """`text` without control characters, on one line, with single spaces."""
    if text.isprintable() and "  " not in text and text == text.strip(" "):
        return text
    kept = "".join(" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign for sign in text)
    # Spaces that do not break are French typography: they stay.
    return re.sub(" +", " ", kept.encode("utf-8", "ignore").decode()).strip(" ")


def _context(compiled: Compiled, facts: Mapping[str, object], links: Links) -> dict[str, Any]:
    groups: dict[str, dict[str, object]] = {group: {} for group in _GROUPS}
    for name, value in facts.items():
        group, _dot, leaf = name.partition(".")
        groups[group][leaf] = _value(name, value, compiled.defaults)
    return {
        **{group: SimpleNamespace(**values) for group, values in groups.items()},
        "links": SimpleNamespace(page=links.page, url=links.url, unsubscribe=links.unsubscribe),
        **{slot: getattr(links, kind)(target) for slot, (kind, target) in compiled.slots.items()},
        "strings": SimpleNamespace(**compiled.strings),
        "language": compiled.language,
    }


def _value(name: str, value: object, defaults: Mapping[str, str]) -> object:
    if isinstance(value, str):
        value = one_line(value)
    if value is None or value == "":
        return defaults.get(name, missing(name))
    return value


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"

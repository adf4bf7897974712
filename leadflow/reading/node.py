"""One value of a YAML file and its place; a getter that fails notes a fault and gives None, so that reading goes on."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from typing import TypeVar

from leadflow.errors import Fault, Severity
from leadflow.reading.words import UNITS, did_you_mean, nearest, percent_of, rate_of, share_of, span_of, wall_time_of
from leadflow.text import _
from leadflow.types import Rate, Span, SpanKind

T = TypeVar("T")
_INTEGER = re.compile(r"[-+]?[0-9]{1,15}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,15}(\.[0-9]{1,9})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BOOLEANS = {"true": True, "false": False}


class Node:
    """A mapping, a list or a scalar (always a string); an absent one stands for a key that is not there."""

    __slots__ = ("_elements", "_items", "_meant", "_scalar", "column", "faults", "file", "line", "quoted")

    def __init__(
        self,
        file: str,
        line: int,
        column: int,
        faults: list[Fault],
        *,
        scalar: str | None = None,
        quoted: bool = False,
        items: "list[tuple[Node, Node]] | None" = None,
        elements: "list[Node] | None" = None,
    ) -> None:
        self.file, self.line, self.column, self.faults = file, line, column, faults
        self._scalar, self.quoted, self._items, self._elements = scalar, quoted, items, elements
        #: Right words of the keys that `only` found misspelt.
        self._meant: set[str] = set()

    def __repr__(self) -> str:
        return f"<Node {self.file}:{self.line}:{self.column}>"

    # What it is

    @property
    def is_mapping(self) -> bool:
        return self._items is not None

    @property
    def is_list(self) -> bool:
        return self._elements is not None

    @property
    def is_scalar(self) -> bool:
        return self._scalar is not None

    @property
    def absent(self) -> bool:
        """Nothing is written here: the key is not there, or nothing follows it."""
        return self.is_empty or not self._written

    @property
    def _written(self) -> bool:
        return self.is_mapping or self.is_list or self.is_scalar

    @property
    def is_empty(self) -> bool:
        """A key with nothing behind it, `~` or `null`."""
        return self._scalar in ("", "~", "null") and not self.quoted

    @property
    def raw(self) -> str:
        """The characters of a scalar, as written; empty for anything else."""
        return self._scalar or ""

    # Faults

    def fault(self, message: str, *, warning: bool = False) -> None:
        """Note that something is wrong right here."""
        severity = Severity.WARNING if warning else Severity.ERROR
        self.faults.append(
            Fault(file=self.file, line=self.line, column=self.column, message=message, severity=severity)
        )

    # Mappings and lists

    def items(self) -> "list[tuple[Node, Node]]":
        """Key and value of each entry, in file order; a fault when this is no mapping."""
        if self._items is None and not self.absent:
            self.fault(_("expected a mapping (name: value)"))
        return [] if self._items is None else self._items

    def keys(self) -> list[str]:
        """The keys, in file order."""
        return [key.raw for key, _value in self._items or []]

    def key(self, name: str) -> "Node":
        """The node of a key itself, to point at it; this node when the key is not there."""
        return next((key for key, _value in self._items or [] if key.raw == name), self)

    def get(self, name: str) -> "Node | None":
        """The value of a key, or None."""
        return next((value for key, value in self._items or [] if key.raw == name), None)

    def part(self, name: str, *, needed: bool = False) -> "Node":
        """The value of a key; an absent node (whose getters quietly give None) when it is not there.

        What is `needed` is a fault when missing, except in a mapping that is not there itself.
        """
        value = self.get(name)
        if needed and self._written and value is None and name not in self._meant:
            self.fault(_('"{key}" is missing').format(key=name))
        elif needed and value is not None and value.is_scalar and (not value.raw or value.is_empty):
            value.fault(_no_value(name))
        return value or Node(self.file, self.line, self.column, self.faults)

    def require(self, name: str) -> "Node | None":
        """The value of a key; a fault and None when nothing is written there."""
        value = self.part(name, needed=True)
        return None if value.absent else value

    def elements(self) -> "list[Node]":
        """The elements of a list; one value alone counts as a list of one."""
        if self._elements is not None:
            return self._elements
        return [] if self.absent else [self]

    def _some(self) -> "list[Node]":
        if self._elements is not None and not self._elements:
            self.fault(_("an empty list: fill it, or leave the line out"))
        return self.elements()

    def only(self, *allowed: str) -> None:
        """Faults for the keys that are not in `allowed`, with the nearest right word, and for those without a value."""
        unknown = [key for key, _value in self.items() if key.raw not in allowed]
        for key in unknown:
            key.fault(_('"{key}" is not known here.').format(key=key.raw) + did_you_mean(key.raw, allowed))
            self._meant |= {near} if (near := nearest(key.raw, allowed)) else set()
        for key, value in self.items():
            if value.is_empty:
                value.fault(_no_value(key.raw))

    def named(self) -> "Iterator[tuple[str, Node]]":
        """Name and value of each entry; a key with nothing behind it gives an absent node."""
        return ((key.raw, value) for key, value in self.items())

    # Scalars

    def _scalar_as(self, read: Callable[[str], T | None], expected: str) -> T | None:
        if self.absent:
            if self.is_empty:
                self.fault(_("expected {what}").format(what=expected))
            return None
        value = read(self.raw) if self.is_scalar else None
        if value is None:
            self.fault(
                _('expected {what}, got "{text}"').format(what=expected, text=self.raw)
                if self.is_scalar
                else _("expected {what}").format(what=expected)
            )
        return value

    def text(self) -> str | None:
        """The characters as they stand: NO, 12:30 and 1.10 are texts."""
        return self._scalar_as(lambda raw: raw, _("a text"))

    def integer(self, *, at_least: int | None = None, at_most: int | None = None) -> int | None:
        """A whole number within the bounds."""
        value = self._scalar_as(lambda raw: int(raw) if _INTEGER.fullmatch(raw) else None, _("a whole number"))
        if value is not None and at_least is not None and value < at_least:
            self.fault(_("{value} is too small: {limit} at least").format(value=value, limit=at_least))
            return None
        if value is not None and at_most is not None and value > at_most:
            self.fault(_("{value} is too big: {limit} at most").format(value=value, limit=at_most))
            return None
        return value

    def number(self) -> int | float | None:
        """A number; whole ones are int."""

        def read(raw: str) -> int | float | None:
            if not _NUMBER.fullmatch(raw):
                return None
            return float(raw) if "." in raw else int(raw)

        return self._scalar_as(read, _("a number"))

    def boolean(self) -> bool | None:
        """`true` or `false`, nothing else."""
        return self._scalar_as(_BOOLEANS.get, _("true or false"))

    def date(self) -> date | None:
        """`2026-12-21`."""

        def read(raw: str) -> date | None:
            try:
                return date.fromisoformat(raw) if _DATE.fullmatch(raw) else None
            except ValueError:
                return None

        return self._scalar_as(read, _("a date such as 2026-12-21"))

    def choice(self, words: Collection[str]) -> str | None:
        """One of `words`."""
        value = self.text()
        if value is None or value in words:
            return value
        self.fault(_('"{word}" is not known here.').format(word=value) + did_you_mean(value, words))
        return None

    def choices(self, words: Collection[str]) -> tuple[str, ...]:
        """Some of `words`; each unknown one is a fault and left out."""
        found = [element.choice(words) for element in self._some()]
        return tuple(word for word in found if word is not None)

    def texts(self) -> tuple[str, ...]:
        """A list of texts, or one text."""
        found = [element.text() for element in self._some()]
        return tuple(text for text in found if text is not None)

    def localised(self, languages: Sequence[str] = ()) -> dict[str, str]:
        """Language → text; one text alone is for each of `languages`, the only ones allowed where given."""
        if self.is_scalar and not self.absent:
            return dict.fromkeys(languages or ("",), self.raw)
        if languages:
            self.only(*languages)
        texts = {key.raw: value.text() for key, value in self.items()}
        return {language: text for language, text in texts.items() if text is not None}

    def span(self, *kinds: SpanKind) -> Span | None:
        """`3 business_days`, `48 hours`; of `kinds` where given."""
        span = self._scalar_as(
            span_of, _("a span of time such as 3 days (units: {units})").format(units=", ".join(UNITS))
        )
        if span is not None and kinds and span.kind not in kinds:
            self.fault(_("business days and hours cannot be used here; write days or hours"))
            return None
        return span

    def duration(self) -> int | None:
        """A span of elapsed time, in microseconds."""
        span = self.span(SpanKind.ELAPSED)
        return None if span is None else span.amount

    def percent(self) -> int | None:
        """`20 %`."""
        return self._scalar_as(percent_of, _("a percentage such as 20 %"))

    def share(self) -> int | None:
        """`0.1 %`, in hundredths of a percent; never nothing."""
        value = self._scalar_as(share_of, _("a percentage such as 0.1 %"))
        if value == 0:
            self.fault(_("{value} is too small: {limit} at least").format(value=self.raw, limit="0.01 %"))
            return None
        return value

    def rate(self) -> Rate | None:
        """`50 per second`."""
        return self._scalar_as(rate_of, _("a rate such as 50 per second (or minute, hour, day)"))

    def wall_time(self) -> int | None:
        """`"09:00"`, in minutes after midnight."""
        return self._scalar_as(wall_time_of, _('a time such as "09:00"'))


def _no_value(key: str) -> str:
    return _('"{key}" has no value').format(key=key)

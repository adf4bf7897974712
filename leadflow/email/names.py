"""The words a template may use: names with their types, filters and tests; everything else is a fault of the check."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a name holds; fields of the playbook add integer, number, boolean, date and choice."""

    TEXT = "text"
    #: A date with its time, such as `now`; shown through `date`.
    INSTANT = "instant"
    #: An address that the engine signs and tracks.
    LINK = "link"
    #: HTML, in the frame only.
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One dotted name."""

    kind: Kind = Kind.TEXT
    #: Some people lack it, and a mail that cannot do without is not for them.
    may_lack: bool = False


_SOME = Name(may_lack=True)
_ALL = Name()
_LINK = Name(kind=Kind.LINK)

#: What every email may use; `lead.<field>` for each field that the playbook declares comes on top.
NAMES: Mapping[str, Name] = {
    "lead.first_name": _SOME,
    "lead.last_name": _SOME,
    "lead.country": _SOME,
    "lead.language": _ALL,
    "company.name": _SOME,
    "segment.name": _SOME,
    "segment.title": _SOME,
    "question.label": _SOME,
    "question.field": _SOME,
    "sender.name": _ALL,
    "sender.first_name": _ALL,
    "sender.reply_to": _ALL,
    "brand.name": _ALL,
    "brand.site": _ALL,
    "brand.postal_address": _ALL,
    "links.page": _LINK,
    "links.unsubscribe": _LINK,
    "links.preferences": _LINK,
    "links.confirm": _LINK,
    "now": Name(kind=Kind.INSTANT),
}
#: What only the frame of _base may use besides.
FRAMED: Mapping[str, Name] = {
    "content": Name(kind=Kind.BODY),
    "subject": _ALL,
    "preheader": _ALL,
    "language": _ALL,
    "strings.reason": _ALL,
    "strings.unsubscribe": _ALL,
    "strings.preferences": _ALL,
    "strings.address": _ALL,
}
FRAME = tuple(FRAMED)

#: Known for everybody by construction: never a reason to leave somebody out.
ALWAYS = frozenset(name for name, spec in NAMES.items() if not spec.may_lack)

#: Those of leadflow, in `filters.py`, and some of Jinja's.
OWN_FILTERS = ("date", "money", "plural", "gender")
FILTERS = frozenset({"capitalize", "default", "join", "length", "lower", "replace", "title", "trim", "upper"}) | {
    *OWN_FILTERS
}
TESTS = frozenset({"defined", "undefined"})


def allowed_names(fields: Iterable[str]) -> frozenset[str]:
    """The dotted names an email may use where the playbook declares `fields`."""
    return frozenset(NAMES) | {f"lead.{name}" for name in fields}


def kinds_of(fields: Mapping[str, str]) -> Mapping[str, str]:
    """Dotted name → its type, where the playbook declares `fields` with theirs."""
    return {name: str(spec.kind) for name, spec in NAMES.items()} | {f"lead.{name}": k for name, k in fields.items()}

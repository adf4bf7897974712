"""Filters that were given what they cannot write, and dates shown as machines write them: read from the syntax tree."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from leadflow.email.filters import STYLES
from leadflow.email.needs import parse_template
from leadflow.text import _

_DATES = ("date", "instant")
_NUMBERS = ("integer", "number")
#: Filter → the types it writes.
_WRITES = {"date": _DATES, "money": _NUMBERS, "plural": _NUMBERS, "gender": ("text", "choice")}
_GENDER = {"woman", "man", "other"}


@dataclass(frozen=True, slots=True)
class Misuse:
    """What is wrong, and where; lines and columns count from 1."""

    message: str
    line: int
    column: int
    #: Ugly, and no reason to keep the mail back.
    harmless: bool = False


def misused(source: str, kinds: Mapping[str, str]) -> list[Misuse]:
    """What `source` asks of filters that they cannot do, where `kinds` are the types of dotted names."""
    tree, lines = parse_template(source), source.splitlines()
    found = [
        Misuse(message, node.lineno, _column(lines, node.lineno, rf"\|\s*{node.name}\b", skip="| "))
        for node in tree.find_all(nodes.Filter)
        for message in _of_filter(node, kinds)
    ]
    for output in tree.find_all(nodes.Output):
        for shown in output.nodes:
            name = _name(shown)
            if name is not None and kinds.get(name) in _DATES:
                message = _("people would read 2026-12-01 here: write {{{{ {name} | date }}}}").format(name=name)
                column = _column(lines, shown.lineno, re.escape(name))
                found.append(Misuse(message, shown.lineno, column, harmless=True))
    return sorted(found, key=lambda misuse: (misuse.line, misuse.column))


def _of_filter(node: nodes.Filter, kinds: Mapping[str, str]) -> Iterator[str]:
    if node.name not in _WRITES:
        return
    name = _name(node.node)
    kind = kinds.get(name, "") if name else ""
    if kind and kind not in _WRITES[node.name]:
        able = [known for known, type_ in kinds.items() if type_ in _WRITES[node.name]]
        yield _("{filter} cannot write {name}, which is of type {kind}; it writes {names}").format(
            filter=node.name, name=name, kind=kind, names=", ".join(able) or "–"
        )
    wrong = {"date": _date, "money": _money, "plural": _plural, "gender": _gender}[node.name](node)
    if wrong:
        yield wrong


def _date(node: nodes.Filter) -> str | None:
    style = _words(node)
    if style in ([], *([word] for word in STYLES)) and not node.kwargs:
        return None
    return _("write date, or {styles}").format(styles=", ".join(f'date("{word}")' for word in STYLES))


def _money(node: nodes.Filter) -> str | None:
    given = _words(node)
    if given is not None and len(given) < 2 and not node.kwargs and all(re.fullmatch(r"[A-Z]{3}", w) for w in given):
        return None
    return _('write money, or money("USD") with the three letters of a currency')


def _plural(node: nodes.Filter) -> str | None:
    return None if len(_words(node) or ()) == 2 and not node.kwargs else _('write plural("page", "pages")')


def _gender(node: nodes.Filter) -> str | None:
    if not node.args and {str(pair.key) for pair in node.kwargs} == _GENDER:
        return None
    return _('write gender(woman="…", man="…", other="…"): other is for those of whom nobody knows')


def _words(node: nodes.Filter) -> list[str] | None:
    """The arguments, where all of them are texts."""
    found = [arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
    return found if len(found) == len(node.args) else None


def _name(node: nodes.Node | None) -> str | None:
    match node:
        case nodes.Filter(name="default"):
            return _name(node.node)
        case nodes.Name(ctx="load"):
            return node.name
        case nodes.Getattr(node=nodes.Name(name=str() as group), attr=str() as leaf):
            return f"{group}.{leaf}"
        case _:
            return None


def _column(lines: list[str], line: int, pattern: str, *, skip: str = "") -> int:
    # Jinja's nodes know their line only.
    found = re.search(pattern, lines[line - 1]) if line <= len(lines) else None
    return found.start() + 1 + len(found[0]) - len(found[0].lstrip(skip)) if found else 1

"""What a template uses, read from its syntax tree: nothing is compiled, so a hostile template costs nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError, nodes

from leadflow.email.names import FILTERS, TESTS
from leadflow.errors import TemplateError

_PARSER = Environment(autoescape=True)
_STATEMENTS = (
    nodes.Template,
    nodes.Output,
    nodes.If,
    nodes.For,
    nodes.Assign,
    nodes.Expr,
)


@dataclass(frozen=True, slots=True)
class Used:
    """One use of a dotted name; `guarded` when a missing value does no harm there. Lines and columns count from 1."""

    name: str
    line: int
    column: int
    guarded: bool


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A filter, test, tag or expression that templates may not use."""

    word: str
    line: int
    column: int
    #: filter, test, tag, call or operator (those that make much of little: `'a' * 1000000000`).
    kind: str


def names_used(source: str) -> list[Used]:
    """Every use of a name in `source`, in the order of the source; TemplateError when it does not parse.

    Names the template itself binds (`{% set %}`, `{% for %}`) are not listed.
    """
    tree = parse_template(source)
    bound = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"} | {"loop"}
    found = [(name, line, guarded) for name, line, guarded in _uses(tree, frozenset()) if _root(name) not in bound]
    return sorted(_with_columns(source, found), key=lambda used: (used.line, used.column))


def forbidden_words(source: str) -> list[Forbidden]:
    """Filters, tests, tags, calls and operators of `source` outside the allow-list, in the order of the source."""
    found = []
    for node in parse_template(source).find_all(nodes.Node):
        match node:
            case nodes.Filter(name=str() as word) if word not in FILTERS:
                found.append((word, node.lineno, "filter"))
            case nodes.Test(name=str() as word) if word not in TESTS:
                found.append((word, node.lineno, "test"))
            case nodes.Call() if _dotted(node.node) != "links.page":
                found.append((_dotted(node.node) or "(", node.lineno, "call"))
            case nodes.Mul() | nodes.Pow() | nodes.Mod():
                found.append((node.operator, node.lineno, "operator"))
            case nodes.Stmt() if not isinstance(node, _STATEMENTS):
                found.append((type(node).__name__.lower(), node.lineno, "tag"))
    lines = source.splitlines()
    return [Forbidden(word, line, _column(lines, word, line, 0), kind) for word, line, kind in found]


def parse_template(source: str) -> nodes.Template:
    """The syntax tree of `source`; TemplateError, with its line, when it does not parse."""
    try:
        return _PARSER.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError(error.message, line=error.lineno) from error
    except RecursionError as error:
        raise TemplateError("this template nests too deeply") from error


def _uses(node: nodes.Node, known: frozenset[str]) -> Iterator[tuple[str, int, bool]]:
    """(name, line, guarded) for each use below `node`, where `known` are the names tested further up."""
    if (name := _dotted(node)) is not None:
        yield name, node.lineno, name in known
        return
    match node:
        case nodes.If():
            yield from _tested(node.test, known)
            yield from _all(node.body, known | _true_if(node.test, holds=True))
            yield from _all([*node.elif_, *node.else_], known | _true_if(node.test, holds=False))
        case nodes.CondExpr():
            yield from _tested(node.test, known)
            yield from _uses(node.expr1, known | _true_if(node.test, holds=True))
            if node.expr2 is not None:
                yield from _uses(node.expr2, known | _true_if(node.test, holds=False))
        case nodes.Filter(name="default" | "gender") if node.node is not None and (name := _dotted(node.node)):
            yield name, node.node.lineno, True
            yield from _all([*node.args, *node.kwargs], known)
        case nodes.And() | nodes.Or() | nodes.Not() | nodes.Test(name="defined" | "undefined"):
            yield from _tested(node, known)
        case _:
            yield from _all(list(node.iter_child_nodes()), known)


def _all(below: list[nodes.Node], known: frozenset[str]) -> Iterator[tuple[str, int, bool]]:
    for node in below:
        yield from _uses(node, known)


def _tested(test: nodes.Node, known: frozenset[str]) -> Iterator[tuple[str, int, bool]]:
    """Uses in a test: a name asked for its truth alone cannot do harm, one that is compared can."""
    match test:
        case nodes.And() | nodes.Or():
            yield from _tested(test.left, known)
            yield from _tested(test.right, known | _true_if(test.left, holds=isinstance(test, nodes.And)))
        case nodes.Not() | nodes.Test(name="defined" | "undefined"):
            yield from _tested(test.node, known)
        case _ if (name := _dotted(test)) is not None:
            yield name, test.lineno, True
        case _:
            yield from _uses(test, known)


def _true_if(test: nodes.Node, *, holds: bool) -> frozenset[str]:
    """Names that must have a value when `test` holds, or when it does not."""
    match test:
        case nodes.Not():
            return _true_if(test.node, holds=not holds)
        case nodes.And() | nodes.Or():
            left, right = _true_if(test.left, holds=holds), _true_if(test.right, holds=holds)
            return left | right if isinstance(test, nodes.And) == holds else left & right
        case nodes.Test(name="defined" | "undefined"):
            name = _dotted(test.node)
            return frozenset({name}) if name and holds == (test.name == "defined") else frozenset()
        case _:
            name = _dotted(test)
            return frozenset({name}) if name and holds else frozenset()


def _dotted(node: nodes.Node) -> str | None:
    """`lead.first_name` for that chain of attributes (or items with literal keys), None for anything else."""
    match node:
        case nodes.Name(ctx="load"):
            return node.name
        case nodes.Getattr():
            inner, leaf = _dotted(node.node), node.attr
        case nodes.Getitem(arg=nodes.Const(value=str() as leaf)):
            inner = _dotted(node.node)
        case _:
            return None
    return None if inner is None else f"{inner}.{leaf}"


def _root(name: str) -> str:
    return name.split(".", 1)[0]


def _with_columns(source: str, found: list[tuple[str, int, bool]]) -> Iterator[Used]:
    lines = source.splitlines()
    seen: dict[tuple[str, int], int] = {}
    for name, line, guarded in found:
        nth = seen.get((name, line), 0)
        seen[name, line] = nth + 1
        yield Used(name, line, _column(lines, name, line, nth), guarded)


def _column(lines: list[str], name: str, line: int, nth: int) -> int:
    # Jinja's nodes know their line only; the n-th use of a name on a line is its n-th appearance there.
    if line > len(lines):
        return 1
    pattern = r"(?<![\w.])" + r"\s*\.\s*".join(map(re.escape, name.split("."))) + r"(?!\w)"
    starts = [match.start() for match in re.finditer(pattern, lines[line - 1])]
    return starts[min(nth, len(starts) - 1)] + 1 if starts else 1

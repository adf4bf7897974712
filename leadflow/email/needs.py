"""What a template uses, read from its syntax tree: nothing is compiled, so a hostile template costs nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from jinja2 import Environment, TemplateSyntaxError, nodes

from leadflow.email.names import FILTERS, FRAMED, NAMES, TESTS
from leadflow.errors import TemplateError

_PARSER = Environment(autoescape=True)
#: Everything else is refused: what Jinja learns tomorrow, too.
_STATEMENTS = (nodes.Template, nodes.Output, nodes.If, nodes.For, nodes.Assign)
_SIMPLE = (nodes.TemplateData, nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter)
_OTHERS = (nodes.Test, nodes.Call, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.List, nodes.Tuple, nodes.Keyword)
_OPERATORS = (nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Add, nodes.Sub, nodes.Div, nodes.Neg, nodes.Pos)
_ALLOWED = (*_STATEMENTS, *_SIMPLE, *_OTHERS, *_OPERATORS)
#: Values are looked up in these; as a whole they are nothing to show.
_GROUPS = frozenset(name.split(".")[0] for name in (*NAMES, *FRAMED) if "." in name)
#: What may be asked of a loop.
_OF_LOOPS = frozenset({"first", "index", "index0", "last", "length", "revindex", "revindex0"})
#: What Jinja puts within a template's reach by itself.
_JINJAS = frozenset({"self", "super", "caller", "varargs", "kwargs"})
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
#: Signs that no text has, whatever language it is in: they end headers and files.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: Faults of one source that are worth looking for; signs of a source, and of a line in which columns are counted.
_MOST, _LONGEST, _LONGEST_LINE = 100, 300_000, 20_000
_LOOKED_INTO = _GROUPS | {"loop"}
#: Levels of a syntax tree: a mail has twenty, Python's own limit is a thousand.
_DEEPEST = 100


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
    #: filter, test, tag, call, name, sign, or operator (those that make much of little: `'a' * 1000000000`).
    kind: str


def names_used(source: str) -> list[Used]:
    """Every use of a name in `source`, in the order of the source; TemplateError when it does not parse.

    Names the template itself binds (`{% set %}`, `{% for %}`) are not listed.
    """
    _refuse_long(source)
    tree = parse_template(source)
    bound = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"} | {"loop"}
    found = [(name, line, guarded) for name, line, guarded in _uses(tree, frozenset()) if _root(name) not in bound]
    return sorted(_with_columns(source, found), key=lambda used: (used.line, used.column))


def forbidden_words(source: str) -> list[Forbidden]:
    """What `source` has that is not on the list: filters, tests, tags, calls, names, operators, in its order."""
    _refuse_long(source)
    tree = parse_template(source)
    # A group that is looked into is no use of the group itself, and what is called is told of once.
    inner = {id(node.node) for node in tree.find_all(nodes.Getattr)}
    inner |= {id(node.node) for node in tree.find_all(nodes.Getitem)}
    inner |= {id(node.node) for node in tree.find_all(nodes.Call)}
    # What stands in a raw stretch is data to the tree, and code to whoever reads the page before Jinja does.
    raw = islice(_RAW.finditer(source), _MOST)
    found = [("raw", source.count("\n", 0, tag.start()) + 1, "tag") for tag in raw]
    for node in tree.find_all(nodes.Node):
        for word, kind in _forbidden(node, id(node) in inner):
            # Jinja forgets the line of some.
            found.append((word, node.lineno or 1, kind))
    lines = source.splitlines()
    return [Forbidden(word, line, _column(lines, word, line, 0), kind) for word, line, kind in found[:_MOST]]


def is_link(tag: str) -> bool:
    """Whether `tag` is a link of the engine's and nothing else: `{{ links.unsubscribe }}`, `{{ links.page("…") }}`."""
    match parse_template(tag).body:
        case [
            nodes.Output(
                nodes=[nodes.Getattr(node=nodes.Name(name="links"), attr="unsubscribe" | "preferences" | "confirm")]
            )
        ]:
            return True
        case [nodes.Output(nodes=[nodes.Call(args=[nodes.Const(value=str())], kwargs=[]) as call])]:
            return (
                _dotted(call.node) in {"links.page", "links.url"} and call.dyn_args is None and call.dyn_kwargs is None
            )
        case _:
            return False


def _may_have(node: nodes.Node, leaf: str) -> bool:
    """Whether `leaf` may be asked of `node`: values have no attributes here, only groups and loops do."""
    match node:
        case nodes.Name(name="loop"):
            return leaf in _OF_LOOPS
        case nodes.Name(name=str() as name):
            return name in _GROUPS
        case _:
            return False


def _forbidden(node: nodes.Node, is_inner: bool) -> Iterator[tuple[str, str]]:
    """(word, kind) of what is wrong with `node`, whatever is below it."""
    match node:
        case nodes.Filter(name=str() as word) if word not in FILTERS:
            yield word, "filter"
        case nodes.Test(name=str() as word) if word not in TESTS:
            yield word, "test"
        case nodes.Call() if _dotted(node.node) != "links.page":
            yield _dotted(node.node) or "(", "call"
        case nodes.Mul() | nodes.Pow() | nodes.Mod() | nodes.FloorDiv():
            yield node.operator, "operator"
        case nodes.Name(name=str() as word) if word.startswith("_") or word in _JINJAS:
            yield word, "name"
        case nodes.Name(name=str() as word, ctx=ctx) if word in _LOOKED_INTO and (ctx != "load" or not is_inner):
            yield word, "name"
        case nodes.Getattr(attr=str() as word) | nodes.Getitem(arg=nodes.Const(value=str() as word)):
            if word[:1] == "_" or not (is_inner or _may_have(node.node, word)):
                yield word, "name"
        case nodes.Filter(name="join") if node.kwargs or len(node.args) > 1:
            yield "join(attribute)", "filter"
        case nodes.Const(value=str() as text) if _CONTROL.search(text):
            yield ascii(_CONTROL.findall(text)[0]), "sign"
        case nodes.Getitem() if not isinstance(node.arg, nodes.Const | nodes.Slice):
            yield "[", "operator"
        case nodes.Scope(body=[nodes.ScopedEvalContextModifier()]):
            # What it holds says so, and knows its line.
            return
        case nodes.ScopedEvalContextModifier():
            yield "autoescape", "tag"
        case nodes.Node() if not isinstance(node, _ALLOWED):
            yield type(node).__name__.lower(), "tag"


@lru_cache(maxsize=1024)
def parse_template(source: str) -> nodes.Template:
    """The syntax tree of `source`, to be read only; TemplateError, with its line, when it does not parse."""
    try:
        tree = _PARSER.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError(error.message, line=error.lineno) from error
    except RecursionError as error:
        raise TemplateError("this template nests too deeply") from error
    except ValueError as error:  # Python reads no number of more than 4300 digits
        raise TemplateError("this template has a number that is too long") from error
    _refuse_deep(tree)
    return tree


def _refuse_long(source: str) -> None:
    if len(source) > _LONGEST:
        raise TemplateError(f"this template is too long: {_LONGEST // 1000} kB is the most")


def _refuse_deep(tree: nodes.Template) -> None:
    # Without recursion, so that all that comes after may use it.
    level: list[nodes.Node] = [tree]
    for _depth in range(_DEEPEST):
        level = [below for node in level for below in node.iter_child_nodes()]
        if not level:
            return
    raise TemplateError("this template nests too deeply", line=level[0].lineno)


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
    if line > len(lines) or len(lines[line - 1]) > _LONGEST_LINE:
        return 1
    pattern = r"(?<![\w.])" + r"\s*\.\s*".join(map(re.escape, name.split("."))) + r"(?!\w)"
    starts = [match.start() for match in re.finditer(pattern, lines[line - 1])]
    return starts[min(nth, len(starts) - 1)] + 1 if starts else 1

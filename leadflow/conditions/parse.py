"""Reads a condition as people wrote it: `{field: employees, between: [10, 250]}` under `all`, `any` and `not`."""

from collections.abc import Callable, Collection, Sequence

from leadflow.conditions.operand_parse import ReadFile, operand_of
from leadflow.conditions.operators import OPERATORS
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not, SegmentLeaf
from leadflow.conditions.vocabulary import EventSpec, FieldSpec, Vocabulary
from leadflow.reading import Node, did_you_mean
from leadflow.text import _
from leadflow.types import Place

#: Deeper conditions are a mistake, and databases limit the depth of an expression.
DEEPEST = 20
_KINDS = ("all", "any", "not", "field", "event", "segment")


def parse_condition(
    node: Node, vocabulary: Vocabulary, *, read_file: Callable[[str], Sequence[str]] | None = None
) -> Condition | None:
    """The condition at `node`, or None with each fault noted; `read_file` gives the lines of an `in_file` list."""
    before = len(node.faults)
    condition = _Reader(vocabulary, read_file).condition(node, DEEPEST)
    return None if len(node.faults) > before else condition


class _Reader:
    def __init__(self, vocabulary: Vocabulary, read_file: ReadFile | None) -> None:
        self.vocabulary = vocabulary
        self.read_file = read_file

    def condition(self, node: Node, depth: int) -> Condition | None:
        kind = _kind_of(node)
        if kind is None:
            return None
        if depth == 0:
            node.fault(_("this condition is nested too deeply: name a part of it as a segment"))
            return None
        match kind:
            case "all" | "any":
                return self._several(node, kind, depth)
            case "not":
                node.only("not")
                inner = self.condition(node.part("not"), depth - 1)
                return None if inner is None else Not(inner)
            case "field":
                return self._field(node)
            case "event":
                return self._event(node)
            case _:
                return self._segment(node)

    def _several(self, node: Node, kind: str, depth: int) -> Condition | None:
        node.only(kind)
        inner = node.part(kind)
        if not inner.is_list or not inner.elements():
            node.key(kind).fault(_("{kind} needs a list of conditions").format(kind=kind))
            return None
        items = [self.condition(element, depth - 1) for element in inner.elements()]
        found = tuple(item for item in items if item is not None)
        if len(found) < len(items):
            return None
        return All(found) if kind == "all" else AnyOf(found)

    def _segment(self, node: Node) -> Condition | None:
        node.only("segment")
        name = _word_of(node, "segment", self.vocabulary.segments)
        return None if name is None else SegmentLeaf(segment=name, place=_place(node))

    def _field(self, node: Node) -> Condition | None:
        name = _word_of(node, "field", self.vocabulary.fields)
        operator = _operator_of(node)
        if name is None or operator is None:
            return None
        spec = self.vocabulary.fields[name]
        if not _suits(node, spec, operator):
            return None
        value = operand_of(node.part(operator), spec, OPERATORS[operator], self.read_file)
        return None if value is None else FieldLeaf(field=name, operator=operator, value=value, place=_place(node))

    def _event(self, node: Node) -> Condition | None:
        node.only("event", "where", "at_least", "at_most", "within")
        events = node.part("event").texts()
        unknown = [word for word in node.part("event").elements() if word.raw not in self.vocabulary.events]
        for word in unknown:
            word.fault(
                _('event "{word}" is not known.').format(word=word.raw) + did_you_mean(word.raw, self.vocabulary.events)
            )
        if not events:
            node.key("event").fault(_("event needs a name"))
        if unknown or not events:
            return None
        where = _where(node.part("where"), [self.vocabulary.events[name] for name in events])
        least, most = node.part("at_least").integer(at_least=1), node.part("at_most").integer(at_least=0)
        if least is None and node.get("at_most") is None:
            least = 1
        if least is not None and most is not None and least > most:
            node.key("at_most").fault(_("at_most is less than at_least: this never holds"))
        within = node.part("within").duration()
        return EventLeaf(
            events=tuple(dict.fromkeys(events)),
            where=where,
            at_least=least,
            at_most=most,
            within=within,
            place=_place(node),
        )


def _kind_of(node: Node) -> str | None:
    if not node.is_mapping:
        node.fault(_("expected a condition such as {field: country, is: FR}"))
        return None
    kinds = [kind for kind in _KINDS if node.get(kind) is not None]
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        node.key(kinds[1]).fault(
            _("{one} and {other} cannot stand in one condition: put both under all or any").format(
                one=kinds[0], other=kinds[1]
            )
        )
        return None
    written = node.keys()
    node.fault(
        _("a condition has one of {kinds}.").format(kinds=", ".join(_KINDS))
        + (did_you_mean(written[0], _KINDS) if written else "")
    )
    return None


def _word_of(node: Node, kind: str, words: Collection[str]) -> str | None:
    place = node.part(kind, needed=True)
    name = place.raw
    if not name:
        return None
    if name in words:
        return name
    kinds = {"field": _('field "{word}" is not known.'), "segment": _('segment "{word}" is not known.')}
    place.fault(kinds[kind].format(word=name) + did_you_mean(name, sorted(words)))
    return None


def _operator_of(node: Node) -> str | None:
    written = [key for key, _value in node.items() if key.raw != "field"]
    unknown = [key for key in written if key.raw not in OPERATORS]
    for key in unknown:
        key.fault(_('operator "{word}" is not known.').format(word=key.raw) + did_you_mean(key.raw, OPERATORS))
    if unknown:
        return None
    if not written:
        node.fault(_("what about it? Add an operator such as is, in, at_least or known"))
        return None
    if len(written) > 1:
        written[1].fault(_("one operator a field: put the second test under all or any"))
        return None
    return written[0].raw


def _suits(node: Node, spec: FieldSpec, operator: str) -> bool:
    row = OPERATORS[operator]
    fitting = [name for name, other in OPERATORS.items() if other.suits_field(spec)]
    if row.suits_field(spec):
        return True
    node.key(operator).fault(
        _("{operator} does not suit {field}, which is {type}. It can be asked: {operators}").format(
            operator=operator, field=spec.name, type=spec.type, operators=", ".join(fitting)
        )
    )
    return False


def _where(node: Node, specs: Sequence[EventSpec]) -> dict[str, tuple[str | int | bool, ...]]:
    allowed = [name for name in specs[0].properties if all(name in spec.properties for spec in specs)]
    node.only(*allowed)
    found: dict[str, tuple[str | int | bool, ...]] = {}
    for key, value in node.items():
        texts = [element.text() for element in value.elements()]
        kept = tuple(text for text in texts if text is not None)
        if not kept:
            key.fault(_("{key} needs a value").format(key=key.raw))
        found[key.raw] = kept
    return found


def _place(node: Node) -> Place:
    return Place(file=node.file, line=node.line, column=node.column)

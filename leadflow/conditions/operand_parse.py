"""Reads what an operator is compared with, typed by the field it is asked of."""

from collections.abc import Callable, Sequence
from datetime import date

from leadflow.conditions.operators import Asked, Operator
from leadflow.conditions.tree import Operand
from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.conditions.words import fold_words
from leadflow.errors import InputError
from leadflow.reading import Node, one_of
from leadflow.text import _
from leadflow.types import DAY

#: The lines of a file of the workspace.
ReadFile = Callable[[str], Sequence[str]]
One = str | int | float | bool | date


def operand_of(node: Node, spec: FieldSpec, operator: Operator, read_file: ReadFile | None) -> Operand | None:
    """The operand written at `node`, or None with its faults noted."""
    if node.absent:
        node.fault(_("{operator} needs a value").format(operator=operator.name))
        return None
    match operator.asked:
        case Asked.ONE:
            return one_value(node, spec)
        case Asked.MANY:
            if not node.elements():
                node.fault(_("the list is empty: nothing is in it"))
            return _many(node.elements(), spec)
        case Asked.FILE:
            return _lines(node, spec, read_file)
        case Asked.PAIR:
            return _pair(node, spec)
        case Asked.NEXT | Asked.LAST:
            return _days(node)
        case Asked.WORDS:
            return _words(node)
        case Asked.FLAG:
            return node.boolean()


def one_value(node: Node, spec: FieldSpec) -> One | None:
    """The one value written at `node`, typed by its field, or None with its fault noted."""
    if node.is_list:
        node.fault(_("one value, not a list: for several write in: [a, b]"))
        return None
    match spec.type:
        case FieldType.INTEGER:
            return node.integer()
        case FieldType.NUMBER:
            return node.number()
        case FieldType.BOOLEAN:
            return node.boolean()
        case FieldType.DATE:
            return node.date()
        case FieldType.CHOICE if spec.choices:
            return _choice(node, spec)
        case _:
            return node.text()


def _choice(node: Node, spec: FieldSpec) -> str | None:
    value = node.text()
    if value is None or value in spec.choices:
        return value
    message = _('"{word}" is not a choice of {field}.').format(word=value, field=spec.name)
    node.fault(message + one_of(value, spec.choices))
    return None


def _many(nodes: Sequence[Node], spec: FieldSpec) -> Operand | None:
    values = [one_value(node, spec) for node in nodes]
    found = tuple(value for value in values if value is not None)
    return found if len(found) == len(values) else None


def _lines(node: Node, spec: FieldSpec, read_file: ReadFile | None) -> Operand | None:
    path = node.text()
    if path is None or read_file is None:
        if path is not None:
            node.fault(_("in_file cannot be used here"))
        return None
    try:
        lines = read_file(path)
    except InputError as error:
        node.fault(str(error))
        return None
    # Each line is judged at the place of the condition that names the file.
    entries = [Node(node.file, node.line, node.column, node.faults, scalar=line, quoted=True) for line in lines]
    return _many(entries, spec)


def _pair(node: Node, spec: FieldSpec) -> Operand | None:
    if not node.is_list or len(node.elements()) != 2:
        node.fault(_("between needs two values: [least, most]"))
        return None
    values = _many(node.elements(), spec)
    if isinstance(values, tuple) and values[0] > values[1]:  # type: ignore[operator]
        node.fault(_("the first bound is above the second: this never holds"))
        return None
    return values


def _days(node: Node) -> int | None:
    amount = node.duration()
    if amount is not None and amount % DAY:
        node.fault(_("a date knows no hours: write whole days"))
        return None
    return amount


def _words(node: Node) -> Operand | None:
    words = node.texts()
    if not words or not all(fold_words(word).strip() for word in words):
        node.fault(_("expected words made of letters or digits"))
        return None
    return words

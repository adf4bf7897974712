"""YAML 1.2 into nodes: scalars are strings; no aliases, anchors, tags, directives, second documents, duplicate keys."""

from collections.abc import Iterator
from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLStreamError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from leadflow.errors import Fault
from leadflow.reading.node import Node
from leadflow.text import _

LARGEST_FILE = 256 * 1024
_DEEPEST = 40


def read_yaml(path: str, text: str, faults: list[Fault]) -> Node | None:
    """The root node of `text`; None when it is no YAML at all or empty, with faults saying where and why."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_FILE:
        faults.append(Fault(file=path, message=_("the file is bigger than 256 kB")))
        return None
    try:
        root = _Builder(path, faults).build(_events_of(text))
    except _RefusedError:
        return None
    except MarkedYAMLError as error:
        faults.append(_syntax_fault(path, text, error))
        return None
    except (YAMLError, YAMLStreamError) as error:
        faults.append(_character_fault(path, text, error))
        return None
    if root is None:
        faults.append(Fault(file=path, line=1, column=1, message=_("the file is empty")))
    return root


def _events_of(text: str) -> Iterator[Event]:
    try:
        return iter(_whole(text))
    except YAMLError:
        # Read again as far as it goes: what is refused on the way is said first.
        return _events(text)


@lru_cache(maxsize=512)
def _whole(text: str) -> tuple[Event, ...]:
    """The events of one text; most files are what they were the last time."""
    return tuple(_events(text))


def _events(text: str) -> Iterator[Event]:
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text.removeprefix("\ufeff")):
        yield event
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            # Refused by now; to read on would take the square of what is nested.
            return


class _RefusedError(Exception):
    """A fault after which the rest of the file cannot be read."""


class _Builder:
    """Builds nodes from events without recursion, so that no nesting exhausts the stack."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self.file, self.faults = file, faults
        self.root: Node | None = None
        #: Open collections with the key that waits for its value.
        self.open: list[tuple[Node, list[Node]]] = []

    def build(self, events: Iterator[Event]) -> Node | None:
        """The node of the one document."""
        for event in events:
            if isinstance(event, NodeEvent):
                self._begin(event)
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                self._add(self.open.pop()[0])
            elif isinstance(event, DocumentStartEvent):
                self._document(event)
        return None if self.root is None or self.root.absent else self.root

    def _at(self, event: Event) -> Node:
        return Node(self.file, event.start_mark.line + 1, event.start_mark.column + 1, self.faults)

    def _refuse(self, event: Event, message: str) -> None:
        self._at(event).fault(message)
        raise _RefusedError

    def _document(self, event: DocumentStartEvent) -> None:
        if self.root is not None:
            self._refuse(event, _("a second document begins here; one file holds one document"))
        if event.version or event.tags:
            self._refuse(event, _("a line that begins with % is not allowed here"))

    def _begin(self, event: NodeEvent) -> None:
        if isinstance(event, AliasEvent):
            self._refuse(event, _("aliases (*name) are not allowed: write the value out"))
        if event.anchor:
            self._refuse(event, _("anchors (&name) are not allowed: write the value out"))
        if getattr(event, "tag", None) or getattr(event, "ctag", None):
            self._refuse(event, _("tags (!name) are not allowed: the value's kind is known from its key"))
        if len(self.open) >= _DEEPEST:
            self._refuse(event, _("nested too deep: {depth} levels at most").format(depth=_DEEPEST))
        place = (self.file, event.start_mark.line + 1, event.start_mark.column + 1, self.faults)
        if isinstance(event, ScalarEvent):
            self._add(Node(*place, scalar=event.value, quoted=bool(event.style)))
        elif isinstance(event, MappingStartEvent):
            self.open.append((Node(*place, items=[]), []))
        elif isinstance(event, SequenceStartEvent):
            self.open.append((Node(*place, elements=[]), []))

    def _add(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent, waiting = self.open[-1]
        if parent.is_list:
            parent.elements().append(node)
        elif not waiting:
            waiting.append(node)
        else:
            _add_entry(parent, waiting.pop(), node)


def _add_entry(parent: Node, key: Node, value: Node) -> None:
    if not key.is_scalar:
        key.fault(_("a key must be a single word"))
    elif (first := parent.key(key.raw)) is not parent:
        key.fault(_("{key} is written twice; the first is on line {line}").format(key=key.raw, line=first.line))
    else:
        if value.is_scalar and not value.raw:
            # The parser places an empty value where the next line begins.
            value.line, value.column = key.line, key.column
        parent.items().append((key, value))


def _syntax_fault(path: str, text: str, error: MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark else 0
    lines = text.splitlines()
    written = lines[line] if line < len(lines) else ""
    indent = written[: len(written) - len(written.lstrip())]
    if "\t" in indent or "'\\t'" in (error.problem or ""):
        return Fault(file=path, line=line + 1, column=written.find("\t") + 1, message=_("a tab: use spaces instead"))
    if mark and (opened := _quote_before(text, mark.index)):
        told = _("this quote is closed only on line {line}: close it where the text ends").format(line=line + 1)
        return Fault(file=path, line=opened[0], column=opened[1], message=told)
    return Fault(file=path, line=line + 1, column=(mark.column if mark else 0) + 1, message=_plain_words(error))


def _quote_before(text: str, index: int) -> tuple[int, int] | None:
    """Where the quoted text of several lines begins that ends at `index`: the quote meant to end it was forgotten."""
    try:
        for event in _events(text):
            if isinstance(event, ScalarEvent) and event.style in ("'", '"') and event.end_mark.index == index:
                begins = event.start_mark
                return (begins.line + 1, begins.column + 1) if begins.line < event.end_mark.line else None
    except YAMLError:
        return None
    return None


def _plain_words(error: MarkedYAMLError) -> str:
    """What the parser says, in words for people who do not know its vocabulary."""
    problem, context = error.problem or "", error.context or ""
    opened = error.context_mark.line + 1 if error.context_mark else 0
    if "quoted scalar" in context:
        return _("the quote opened on line {line} is never closed").format(line=opened)
    if "flow sequence" in context:
        return _("the [ opened on line {line} is not closed with ], or a comma is missing").format(line=opened)
    if "flow mapping" in context:
        return _("the {{ opened on line {line} is not closed with }}, or a comma is missing").format(line=opened)
    if "mapping values are not allowed" in problem:
        return _('a colon is not expected here: put quotes around a text that holds ": ", and check the indentation')
    if "expected the node content" in problem:
        return _("a value is expected here: check the brackets and commas of the lines above")
    if "block" in context:
        return _("the indentation does not fit the lines above")
    if "cannot start any token" in problem:
        return _("a text cannot begin with this character: put quotes around it")
    return _("this is not YAML: {problem}").format(problem=problem)


def _character_fault(path: str, text: str, error: Exception) -> Fault:
    position = getattr(error, "position", 0)
    before = text[: position if isinstance(position, int) else 0]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return Fault(file=path, line=line, column=column, message=_("a control character: remove it"))

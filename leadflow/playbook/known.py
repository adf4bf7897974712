"""The words of a playbook while it is read, and the rule that no condition looks ahead in the sweep."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from leadflow.conditions.levels import level_of
from leadflow.conditions.parse import parse_condition
from leadflow.conditions.tree import All, Condition, EventLeaf, FieldLeaf, SegmentLeaf, leaves
from leadflow.conditions.vocabulary import Level, Vocabulary
from leadflow.errors import Fault
from leadflow.reading import Node
from leadflow.text import _
from leadflow.types import Place

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
#: Stands for a condition that could not be read; its fault keeps the playbook from being used.
UNREADABLE = All(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the files read so far declare."""

    languages: tuple[str, ...]
    vocabulary: Vocabulary
    stages: tuple[str, ...]
    #: Segment → its condition; those that could not be read are absent.
    segments: Mapping[str, Condition]
    read_file: Callable[[str], Sequence[str]]
    #: What readers may decline.
    topics: tuple[str, ...] = ()

    def condition(self, node: Node, *, limit: Level, reader: str) -> Condition:
        """The condition written at `node`; a fault for each leaf that is known only after `limit`."""
        if node.absent:
            return UNREADABLE
        condition = parse_condition(node, self.vocabulary, read_file=self.read_file)
        if condition is None:
            return UNREADABLE
        self.forbid_ahead(condition, node.faults, limit=limit, reader=reader)
        return condition

    def optional_condition(self, node: Node, *, limit: Level, reader: str) -> Condition | None:
        """Like `condition`; None where nothing is written."""
        return None if node.absent else self.condition(node, limit=limit, reader=reader)

    def forbid_ahead(self, condition: Condition, faults: list[Fault], *, limit: Level, reader: str) -> None:
        """A fault for each leaf of `condition` that a reader judged at `limit` cannot know yet."""
        ahead = [leaf for leaf in leaves(condition) if self._known_after(leaf, limit)]
        faults.extend(fault_at(leaf.place, self._ahead(leaf, limit, reader)) for leaf in ahead)

    def _known_after(self, leaf: FieldLeaf | EventLeaf | SegmentLeaf, limit: Level) -> bool:
        if isinstance(leaf, SegmentLeaf) and not self.closure(leaf.segment):
            # Could not be read, or runs in a circle: its own fault says so.
            return False
        return level_of(leaf, self.vocabulary, self.segments) > limit

    def closure(self, segment: str) -> list[FieldLeaf | EventLeaf]:
        """The fields and events a segment looks at, those of the segments it names included."""
        found: list[FieldLeaf | EventLeaf] = []
        waiting, seen = [segment], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.segments:
                continue
            seen.add(name)
            for leaf in leaves(self.segments[name]):
                if isinstance(leaf, SegmentLeaf):
                    waiting.append(leaf.segment)
                else:
                    found.append(leaf)
        return found

    def _ahead(self, leaf: FieldLeaf | EventLeaf | SegmentLeaf, limit: Level, reader: str) -> str:
        allowed = _list([words for level, words in _level_words().items() if level <= limit])
        if isinstance(leaf, SegmentLeaf):
            worst = max(self.closure(leaf.segment), key=lambda inner: level_of(inner, self.vocabulary, {}))
            return _(
                'segment "{segment}" looks ahead: it uses {field} ({place}), which is not known yet where {reader} '
                "are judged. They may use {allowed}"
            ).format(
                segment=leaf.segment,
                field=getattr(worst, "field", ""),
                place=f"{worst.place.file}:{worst.place.line}:{worst.place.column}",
                reader=reader,
                allowed=allowed,
            )
        return _("{field} looks ahead: it is not known yet where {reader} are judged. They may use {allowed}").format(
            field=getattr(leaf, "field", ""), reader=reader, allowed=allowed
        )


def _level_words() -> dict[Level, str]:
    return {
        Level.GIVEN: _("attributes, events, consent"),
        Level.SCORED: _("scores (fit, engagement, band, velocity)"),
        Level.STAGED: _("the journey (stage, lifecycle, qualification)"),
        Level.SEGMENTED: _("segments"),
        Level.ESCALATED: _("hand-overs (with_sales)"),
    }


def _list(words: Sequence[str]) -> str:
    return " · ".join(words)


def place_of(node: Node) -> Place:
    """Where `node` stands."""
    return Place(file=node.file, line=node.line, column=node.column)


def fault_at(place: Place, message: str) -> Fault:
    """A fault at `place`."""
    return Fault(file=place.file, line=place.line, column=place.column, message=message)


def is_name(word: str) -> bool:
    """Whether `word` may stand in keys and paths."""
    return _NAME.fullmatch(word) is not None


def wrong_name() -> str:
    """What a name may be made of."""
    return _("a name is made of letters without accents, digits, - and _, 64 at most")


def name_of(node: Node) -> str:
    """The name written at `node`, one word that may stand in a key; faults otherwise."""
    name = node.text()
    if name is not None and not is_name(name):
        node.fault(wrong_name())
    return name or ""


def unique_names(nodes: Sequence[Node]) -> None:
    """A fault for each name node that repeats an earlier one."""
    first: dict[str, int] = {}
    for node in nodes:
        if node.raw in first:
            node.fault(
                _('the name "{name}" is taken; the first is on line {line}').format(name=node.raw, line=first[node.raw])
            )
        elif node.raw:
            first[node.raw] = node.line

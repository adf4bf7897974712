"""`segments/<name>.yaml`: the condition of a segment, its words, and the cycles between segments."""

import re
from collections.abc import Mapping

from leadflow.conditions.levels import cycle_in
from leadflow.conditions.tree import Condition, SegmentLeaf, leaves
from leadflow.conditions.vocabulary import Level, Vocabulary
from leadflow.errors import Fault
from leadflow.playbook.examples import examples_of
from leadflow.playbook.known import Known, fault_at, place_of
from leadflow.playbook.model import Segment
from leadflow.reading import Node
from leadflow.text import _

_BLANK = re.compile(r"\{[^{}]*\}")


def segment_of(
    name: str, node: Node, condition: Condition, *, languages: tuple[str, ...], words: Vocabulary
) -> Segment:
    """The file `segments/<name>.yaml`, whose condition was read before."""
    return Segment(
        name=name,
        title=node.part("title", needed=True).localised(languages),
        why=node.part("why").text() or "",
        opener=_opener(node.part("opener"), languages),
        when=condition,
        examples=examples_of(node.part("examples"), words),
        place=place_of(node),
    )


def _opener(node: Node, languages: tuple[str, ...]) -> Mapping[str, str]:
    """What a salesperson can say first; only what every person may have fills its blanks."""
    texts = node.localised(languages)
    for blank in dict.fromkeys(found for text in texts.values() for found in _BLANK.findall(text)):
        if blank not in ("{first_name}", "{company}"):
            node.fault(
                _("{blank} stands for nothing here: {known}").format(blank=blank, known="{first_name}, {company}")
            )
    return texts


def check_segments(known: Known, faults: list[Fault]) -> None:
    """Faults for cycles between segments; where there is none, for segments that look ahead."""
    if cycles := _cycles(known.segments):
        faults.extend(cycles)
        return
    for condition in known.segments.values():
        # Other segments may be named: those that hold are found in the same pass.
        for leaf in leaves(condition):
            if not isinstance(leaf, SegmentLeaf):
                known.forbid_ahead(leaf, faults, limit=Level.STAGED, reader=_("segments"))


def _cycles(segments: Mapping[str, Condition]) -> list[Fault]:
    """One fault for each circle, at the leaf that closes it."""
    faults: list[Fault] = []
    left = dict(segments)
    while circle := cycle_in(left):
        closing = next(
            leaf for leaf in leaves(segments[circle[-1]]) if isinstance(leaf, SegmentLeaf) and leaf.segment == circle[0]
        )
        way = " → ".join((*circle, circle[0]))
        faults.append(fault_at(closing.place, _("these segments go in a circle: {way}").format(way=way)))
        left = {name: when for name, when in left.items() if name not in circle}
    return faults

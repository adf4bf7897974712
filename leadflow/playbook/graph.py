"""How the files of a playbook fit together: conditions nobody meets, emails nobody gets, steps nobody comes to."""

from collections.abc import Collection, Iterator, Mapping

from leadflow.conditions.tree import All, Condition, SegmentLeaf, leaves
from leadflow.errors import Fault
from leadflow.playbook.graph_emails import check_emails
from leadflow.playbook.graph_logic import Logic, blamed
from leadflow.playbook.graph_rows import told
from leadflow.playbook.graph_sequences import check_sequence
from leadflow.playbook.model import Playbook, Segment
from leadflow.reading import Node


def check_graph(playbook: Playbook, roots: Mapping[str, Node], ordered: Collection[str]) -> Iterator[Fault]:
    """Warnings about `playbook`, which has no error.

    `roots` are the email.yaml of its emails, `ordered` the segments of segment_order: others are told of already.
    """
    logic = Logic(vocabulary=playbook.vocabulary, segments={name: one.when for name, one in playbook.segments.items()})
    for condition in _conditions(playbook):
        yield from never_holds(condition, logic)
    yield from _segments(playbook, ordered, logic)
    for sequence in playbook.sequences:
        yield from check_sequence(sequence, playbook, logic)
    yield from check_emails(playbook, roots, logic)


def never_holds(condition: Condition, logic: Logic) -> Iterator[Fault]:
    """A warning where nobody can meet `condition`, at the last leaf that is to blame."""
    what = logic.clash(condition)
    if what:
        yield told("never-holds", blamed(condition, what), what=what)


def _conditions(playbook: Playbook) -> Iterator[Condition]:
    """Every condition that stands alone; those of branches and of `for` are looked at where they stand."""
    yield from (segment.when for segment in playbook.segments.values())
    yield from (rule.when for rule in playbook.scoring.fit)
    yield from (rule.when for rule in playbook.scoring.veto)
    yield from (rule.when for rule in playbook.sales.hot)
    yield from (rule.when for rule in playbook.never)
    yield from (criterion.when for criterion in playbook.journey.criteria)
    stages = playbook.journey.stages
    optional = [*(stage.when for stage in stages), *(stage.keep_while for stage in stages)]
    optional.append(playbook.journey.lifecycle.prospect_when)
    for sequence in playbook.sequences:
        optional += [sequence.enter, sequence.exit, sequence.goal]
    yield from (condition for condition in optional if condition is not None)


def _segments(playbook: Playbook, named: Collection[str], logic: Logic) -> Iterator[Fault]:
    """Of each two segments, one that is the other, or that never comes first."""
    ordered = [
        playbook.segments[name] for name in playbook.segment_order if logic.can_hold(playbook.segments[name].when)
    ]
    for place, one in enumerate(ordered):
        for other in ordered[:place]:
            if _share_words(one, other, logic) and logic.implies(one.when, other.when):
                same = logic.implies(other.when, one.when)
                code = "segment-same" if same else "segment-covered"
                if same or one.name in named:
                    yield told(code, one.place, segment=one.name, other=other.name)
                break


def _share_words(one: Segment, other: Segment, logic: Logic) -> bool:
    """Whether one can say anything of the other: they look at a field or event in common."""
    return not _words(one.when, logic).isdisjoint(_words(other.when, logic)) or other.when == All(())


def _words(condition: Condition, logic: Logic, inside: frozenset[str] = frozenset()) -> set[str]:
    found: set[str] = set()
    for leaf in leaves(condition):
        if not isinstance(leaf, SegmentLeaf):
            found |= {getattr(leaf, "field", ""), *getattr(leaf, "events", ())} - {""}
        elif leaf.segment in logic.segments and leaf.segment not in inside:
            found |= _words(logic.segments[leaf.segment], logic, inside | {leaf.segment})
    return found

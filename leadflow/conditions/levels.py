"""When in a sweep a condition can be judged, and which segments run in circles."""

from collections.abc import Mapping

from leadflow.conditions.tree import Condition, FieldLeaf, SegmentLeaf, leaves
from leadflow.conditions.vocabulary import Level, Vocabulary


def level_of(condition: Condition, vocabulary: Vocabulary, segments: Mapping[str, Condition]) -> Level:
    """The latest fact `condition` reads.

    A segment that needs scores at most is judged in place, so it counts as what it needs; any other is known only
    once segments are.
    """
    return max((_leaf_level(leaf, vocabulary, segments) for leaf in leaves(condition)), default=Level.GIVEN)


def _leaf_level(leaf: Condition, vocabulary: Vocabulary, segments: Mapping[str, Condition]) -> Level:
    match leaf:
        case FieldLeaf(field=name):
            return vocabulary.fields[name].level if name in vocabulary.fields else Level.GIVEN
        case SegmentLeaf(segment=name):
            if name not in segments:
                # Unknown, or within its own definition.
                return Level.SEGMENTED
            others = {other: when for other, when in segments.items() if other != name}
            inner = level_of(segments[name], vocabulary, others)
            return inner if inner <= Level.SCORED else max(inner, Level.SEGMENTED)
        case _:
            return Level.GIVEN


def inlinable(vocabulary: Vocabulary, segments: Mapping[str, Condition]) -> dict[str, Condition]:
    """The segments whose whole closure is known with the scores: what phases before `segment` compile in place."""
    return {
        name: when
        for name, when in segments.items()
        if level_of(SegmentLeaf(segment=name), vocabulary, segments) <= Level.SCORED
    }


def cycle_in(segments: Mapping[str, Condition]) -> tuple[str, ...]:
    """Names of segments each of which asks for the next and the last for the first; empty when none do."""
    finished: set[str] = set()
    for name in segments:
        if found := _walk(name, (), segments, finished):
            return found
    return ()


def _walk(name: str, way: tuple[str, ...], segments: Mapping[str, Condition], finished: set[str]) -> tuple[str, ...]:
    if name in way:
        return way[way.index(name) :]
    if name in finished or name not in segments:
        return ()
    for leaf in leaves(segments[name]):
        if isinstance(leaf, SegmentLeaf) and (found := _walk(leaf.segment, (*way, name), segments, finished)):
            return found
    finished.add(name)
    return ()

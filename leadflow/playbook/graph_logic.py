"""Whether anybody can meet a condition, and whether one implies another; in doubt the answer is that they can.

A condition is written out as cases, each a list of leaves that hold or do not. A case is ruled out when one field has
no value left, or when acts would have to be more and fewer at once. What is not understood rules nothing out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from leadflow.conditions.evaluate import Person, View, field_holds
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not, SegmentLeaf, leaves
from leadflow.conditions.vocabulary import FieldSpec, Vocabulary
from leadflow.conditions.words import prefix_of
from leadflow.playbook.graph_values import values_of
from leadflow.types import Place

#: More cases than anybody writes: nothing is said about such a condition.
_MOST_CASES = 400
#: Any instant gives the same answers: what a condition says of days it says from today.
_NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
#: A leaf, and whether it holds.
_Literal = tuple[FieldLeaf | EventLeaf | SegmentLeaf, bool]
_Case = tuple[_Literal, ...]


class TooManyCasesError(Exception):
    """The condition has more cases than are worth looking at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """The words of a playbook and the conditions of its segments."""

    vocabulary: Vocabulary
    segments: Mapping[str, Condition]

    def can_hold(self, condition: Condition) -> bool:
        """Whether somebody might meet `condition`."""
        return self.clash(condition) is None

    def implies(self, one: Condition, other: Condition) -> bool:
        """Whether whoever meets `one` certainly meets `other`."""
        return not self.can_hold(All((one, Not(other))))

    def clash(self, condition: Condition) -> str | None:
        """What nobody can be at once, as the name of a field or event; None where somebody might meet `condition`."""
        try:
            cases = self._cases(condition, holds=True, inside=frozenset())
        except TooManyCasesError:
            return None
        # `any: []` has no case at all.
        found = ""
        for case in cases:
            reason = self._ruled_out(case)
            if reason is None:
                return None
            found = found or reason
        return found

    def _cases(self, condition: Condition, *, holds: bool, inside: frozenset[str]) -> list[_Case]:
        match condition:
            case Not(item):
                return self._cases(item, holds=not holds, inside=inside)
            case All(items) if holds:
                return self._both(items, holds=holds, inside=inside)
            case AnyOf(items) if not holds:
                return self._both(items, holds=holds, inside=inside)
            case All(items) | AnyOf(items):
                return _few([case for item in items for case in self._cases(item, holds=holds, inside=inside)])
            case SegmentLeaf(segment=name) if name in self.segments and name not in inside:
                return self._cases(self.segments[name], holds=holds, inside=inside | {name})
            case EventLeaf() if not holds:
                return [((leaf, True),) for leaf in _too_few_or_many(condition)]
            case FieldLeaf() | EventLeaf() | SegmentLeaf():
                return [((condition, holds),)]

    def _both(self, items: Iterable[Condition], *, holds: bool, inside: frozenset[str]) -> list[_Case]:
        cases: list[_Case] = [()]
        for item in items:
            more = self._cases(item, holds=holds, inside=inside)
            if len(cases) * len(more) > _MOST_CASES:
                raise TooManyCasesError
            cases = [(*case, *other) for case in cases for other in more]
        return cases

    def _ruled_out(self, case: _Case) -> str | None:
        by_field: dict[str, list[tuple[FieldLeaf, bool]]] = {}
        events: list[EventLeaf] = []
        segments: dict[str, bool] = {}
        for leaf, holds in case:
            match leaf:
                case FieldLeaf():
                    by_field.setdefault(leaf.field, []).append((leaf, holds))
                case EventLeaf():
                    events.append(leaf)
                case SegmentLeaf(segment=name) if segments.setdefault(name, holds) != holds:
                    return name
        for name, said in by_field.items():
            if name in self.vocabulary.fields and not self._has_value(self.vocabulary.fields[name], said):
                return name
        return _count_clash(events)

    def _has_value(self, spec: FieldSpec, said: list[tuple[FieldLeaf, bool]]) -> bool:
        """Whether a field may have one value, or none, of which all is true that is said."""
        values = values_of(spec, said, _NOW.date())
        if values is None:
            return True
        view = View(now=_NOW, vocabulary=self.vocabulary)
        return any(
            all(field_holds(leaf, Person(fields={spec.name: value}), view) == holds for leaf, holds in said)
            # A score, too, is missing until the first night.
            for value in (None, *values)
        )


def _few(cases: list[_Case]) -> list[_Case]:
    if len(cases) > _MOST_CASES:
        raise TooManyCasesError
    return cases


def _too_few_or_many(leaf: EventLeaf) -> list[EventLeaf]:
    """The leaf as it holds when this one does not."""
    least, most = leaf.at_least or 0, leaf.at_most
    few = [replace(leaf, at_least=0, at_most=least - 1)] if least > 0 else []
    return few + ([] if most is None else [replace(leaf, at_least=most + 1, at_most=None)])


def _count_clash(events: list[EventLeaf]) -> str | None:
    """Acts that must be many, while others that include them must be few."""
    for narrow in events:
        for wide in events:
            if wide.at_most is not None and (narrow.at_least or 0) > wide.at_most and _within(narrow, wide):
                return narrow.events[0]
    return None


def _within(narrow: EventLeaf, wide: EventLeaf) -> bool:
    """Whether each act that `narrow` counts is one that `wide` counts."""
    if not set(narrow.events) <= set(wide.events):
        return False
    if wide.within is not None and (narrow.within is None or narrow.within > wide.within):
        return False
    return all(
        name in narrow.where and all(any(_covers(glob, value) for glob in globs) for value in narrow.where[name])
        for name, globs in wide.where.items()
    )


def _covers(glob: object, value: object) -> bool:
    """Whether whatever matches `value` matches `glob`, as far as a prefix tells."""
    if glob == value:
        return True
    prefix = prefix_of(glob) if isinstance(glob, str) else None
    return prefix is not None and isinstance(value, str) and value.startswith(prefix)


def blamed(condition: Condition, what: str) -> Place:
    """Where `condition` last speaks of the field, event or segment `what`; its first leaf, if it does so elsewhere."""
    every = leaves(condition)
    named = [leaf for leaf in every if what in (getattr(leaf, "field", ""), *getattr(leaf, "events", ()))]
    named = named or [leaf for leaf in every if isinstance(leaf, SegmentLeaf)]
    return (named[-1] if named else every[0]).place if every else Place()

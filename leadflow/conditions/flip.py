"""The smallest changes to a person that would turn a condition over: another value, some points, an act, some time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations, islice, product
from typing import TypeVar

from leadflow.conditions.evaluate import Act, Person, View, acts_counted, holds
from leadflow.conditions.flip_values import act_for, values_for
from leadflow.conditions.operands import HUNDREDTHS
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not, SegmentLeaf

#: More ways than this are not followed at any knot of the tree.
_WIDE = 8
#: How many combinations are tried when leaves stand in each other's way.
_TRIES = 4_000
_TICK = timedelta(microseconds=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A field takes another value; what matters is that `leaf` then says `wanted`."""

    leaf: FieldLeaf
    wanted: bool
    value: object

    @property
    def cost(self) -> float:
        return 2.0 if self.value is not None else 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """A score grows, or falls, by hundredths of a point."""

    field: str
    by: int

    @property
    def cost(self) -> float:
        return 1.0 + abs(self.by) / 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """Something is done `times` more."""

    leaf: EventLeaf
    act: Act
    times: int

    @property
    def cost(self) -> float:
        return 1.5 * self.times


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing but time: at `until`, acts have left the window of `leaf`."""

    leaf: EventLeaf
    until: datetime

    @property
    def cost(self) -> float:
        return 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """In a segment, or out of it, whose definition is not at hand."""

    segment: str
    inside: bool

    @property
    def cost(self) -> float:
        return 3.0


Change = Value | Points | Acts | Wait | Membership
#: All of them together turn the condition over; without any one of them they do not.
Way = tuple[Change, ...]


def flips(condition: Condition, person: Person, view: View, *, most: int = 4) -> list[Way]:
    """The least that would make `condition` come out the other way, the smallest first; each was tried."""
    want = not holds(condition, person, view)
    tried = (_needed(way, condition, person, view, want) for way in _ways(condition, person, view, want))
    found = _distinct(way for way in tried if way)
    if not found:
        found = list(islice(_searched(condition, person, view, want), 1))
    return sorted(found, key=_cost)[:most]


def changed(way: Sequence[Change], person: Person, view: View) -> tuple[Person, View]:
    """The person, and the view of them, once all of `way` has come about."""
    now = max([view.now, *(change.until for change in way if isinstance(change, Wait))])
    fields, segments, acts = dict(person.fields), set(person.segments), list(person.events)
    for change in way:
        match change:
            case Value():
                fields[change.leaf.field] = change.value
            case Points():
                fields[change.field] = _score(person, change.field) + change.by
            case Acts():
                acts += [replace(change.act, occurred_at=now - _TICK, received_at=now - _TICK)] * change.times
            case Membership():
                (segments.add if change.inside else segments.discard)(change.segment)
    return replace(person, fields=fields, events=acts, segments=frozenset(segments)), replace(view, now=now)


def _score(person: Person, field: str) -> int:
    value = person.fields.get(field)
    return value if isinstance(value, int) else 0


def _turns(way: Sequence[Change], condition: Condition, person: Person, view: View, want: bool) -> bool:
    return holds(condition, *changed(way, person, view)) is want


def _needed(way: Way, condition: Condition, person: Person, view: View, want: bool) -> Way | None:
    """`way` without what is superfluous; None when it does not turn the condition over."""
    if not _turns(way, condition, person, view, want):
        return None
    for change in sorted(way, key=lambda one: -one.cost):
        # Fewer acts may be enough for another leaf than the one they were counted for; none at all, too.
        for less in range(change.times if isinstance(change, Acts) else 1):
            fewer = [replace(change, times=less)] if isinstance(change, Acts) and less else []
            tried = tuple(
                fewer[0] if fewer and other is change else other for other in way if fewer or other is not change
            )
            if _turns(tried, condition, person, view, want):
                way = tried
                break
    return way


def _cost(way: Way) -> float:
    return sum(change.cost for change in way) + len(way)


def _ways(condition: Condition, person: Person, view: View, want: bool) -> list[Way]:
    """What could make it `want`; the parts of one way may yet stand in each other's way."""
    if holds(condition, person, view) is want:
        return [()]
    match condition:
        case Not(item):
            return _ways(item, person, view, not want)
        case All(items) | AnyOf(items) if isinstance(condition, All) is want:
            parts = [_ways(item, person, view, want) for item in items]
            return _cheapest(_joined(way) for way in islice(product(*parts), _WIDE * _WIDE))
        case All(items) | AnyOf(items):
            return _cheapest(way for item in items for way in _ways(item, person, view, want))
        case SegmentLeaf(segment=name) if name in view.segments:
            return _ways(view.segments[name], person, view.inside(name), want)
        case _:
            return [(change,) for change in _atoms(condition, person, view, want)]


def _distinct(found: Iterable[T], most: int | None = None) -> list[T]:
    """Each once, in order; a leaf cannot be hashed."""
    kept: list[T] = []
    for one in found:
        if len(kept) == most:
            break
        if one not in kept:
            kept.append(one)
    return kept


def _cheapest(ways: Iterator[Way]) -> list[Way]:
    return _distinct(sorted(ways, key=_cost), _WIDE)


def _joined(ways: Sequence[Way]) -> Way:
    """One way of several; of two values for a field the one that costs no second change is enough."""
    merged: list[Change] = []
    for change in (change for way in ways for change in way):
        if change not in merged and not any(_covers(other, change) for other in merged):
            merged.append(change)
    return tuple(merged)


def _covers(one: Change, other: Change) -> bool:
    same = isinstance(one, Value) and isinstance(other, Value) and one.leaf.field == other.leaf.field
    return same and one.value == other.value  # type: ignore[union-attr]


def _atoms(leaf: Condition, person: Person, view: View, want: bool) -> Iterator[Change]:
    """The single changes that make one leaf come out as wanted."""
    match leaf:
        case FieldLeaf(field=name) if name in HUNDREDTHS and isinstance(person.fields.get(name), int):
            # Further from where they are is never less.
            nearest = (value for value in values_for(leaf, person, view, want) if isinstance(value, int))
            for score in islice(nearest, 1):
                yield Points(field=name, by=score - _score(person, name))
        case FieldLeaf():
            for value in values_for(leaf, person, view, want):
                yield Value(leaf=leaf, wanted=want, value=value)
        case EventLeaf():
            yield from _counted(leaf, person, view, want)
        case SegmentLeaf(segment=name) if name not in view.segments:
            yield Membership(segment=name, inside=want)


def _counted(leaf: EventLeaf, person: Person, view: View, want: bool) -> Iterator[Change]:
    """More acts, or fewer once time has passed: until the count is where it should be."""
    acts = sorted(acts_counted(leaf, person, view), key=lambda act: act.occurred_at)
    least, most, count = leaf.at_least or 0, leaf.at_most, len(acts)
    reached = (least, most) if want else ((most + 1, None) if most is not None else (None, None))
    if reached[0] is not None and count < reached[0]:
        yield Acts(leaf=leaf, act=act_for(leaf, view.now), times=reached[0] - count)
    stays = most if want else least - 1
    if stays is not None and 0 <= stays < count and leaf.within is not None:
        last = acts[count - stays - 1].occurred_at
        yield Wait(leaf=leaf, until=last + timedelta(microseconds=leaf.within + 1))


def _searched(condition: Condition, person: Person, view: View, want: bool) -> Iterator[Way]:
    """Leaves stand in each other's way: every change of any leaf is tried, alone, then with others."""
    pool = _distinct(_pool(condition, person, view))
    sizes = (combinations(pool, size) for size in (1, 2, 3))
    for way in islice((way for size in sizes for way in size), _TRIES):
        if _turns(way, condition, person, view, want) and (needed := _needed(way, condition, person, view, want)):
            yield needed


def _pool(condition: Condition, person: Person, view: View) -> Iterator[Change]:
    match condition:
        case All(items) | AnyOf(items):
            for item in items:
                yield from _pool(item, person, view)
        case Not(item):
            yield from _pool(item, person, view)
        case SegmentLeaf(segment=name) if name in view.segments:
            yield from _pool(view.segments[name], person, view.inside(name))
        case _:
            for want in (True, False):
                yield from _atoms(condition, person, view, want)

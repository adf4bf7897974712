"""The smallest change that would turn a decision over, in words: `2 points of engagement or 1 visit to /tarifs`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations

from leadflow.ask.dates import moment_of
from leadflow.ask.scores import Scored, plain_points, rescored
from leadflow.conditions.evaluate import Person, View, holds
from leadflow.conditions.flip import Acts, Change, Membership, Points, Value, Wait, Way, changed, flips
from leadflow.conditions.flip_values import act_for
from leadflow.conditions.prove import asked_words, event_words, visited
from leadflow.conditions.sources import CRITERION
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not
from leadflow.playbook.model import Playbook
from leadflow.text import _, ngettext

#: As many ways are named, and as many more of one act are tried.
_NAMED = 2
_MORE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """What would have to come about, and the condition it was worked out on."""

    way: Way
    words: str


def flip_words(playbook: Playbook, scored: Scored, condition: Condition, view: View) -> str:
    """The smallest changes that would turn `condition` over; nothing where none was found."""
    return _(", or ").join(flip.words for flip in smallest(playbook, scored.person, condition, view))


def smallest(playbook: Playbook, person: Person, condition: Condition, view: View) -> list[Flip]:
    """Two at most, the smallest first: of points also the act that would bring them; all tried on rebuilt scores."""
    found: dict[str, Flip] = {}
    for way in _tried(playbook, person, condition, view):
        words = way_words(way, view)
        found.setdefault(words, Flip(way=way, words=words))
        if len(found) == _NAMED:
            break
    return list(found.values())


def _tried(playbook: Playbook, person: Person, condition: Condition, view: View) -> Iterator[Way]:
    spelt = _spelt(playbook, person, condition)
    if holds(spelt, person, view) is not holds(condition, person, view):
        spelt = condition
    for way in flips(spelt, person, view):
        settled = _settled(playbook, way, person, spelt, view)
        if not settled or not _holds_up(playbook, settled, person, condition, view):
            continue
        yield settled
        if all(isinstance(change, Points) for change in settled):
            yield from _paid_acts(playbook, person, condition, view)
            yield from _paid_answers(playbook, person, condition, view)


def _settled(playbook: Playbook, way: Way, person: Person, condition: Condition, view: View) -> Way:
    """Acts and values bring points themselves: only what is lacking after them is asked for besides."""
    rest = tuple(change for change in way if not isinstance(change, Points))
    if not rest or len(rest) == len(way):
        return way
    after, later = changed(rest, person, view)
    again = rescored(playbook, after, later).person
    if holds(condition, again, later) is not holds(condition, person, view):
        return rest
    more = (some for some in flips(condition, again, later) if all(isinstance(one, Points) for one in some))
    return (*next(more, ()), *rest)


def _holds_up(playbook: Playbook, way: Way, person: Person, condition: Condition, view: View) -> bool:
    """An act brings points as well: the condition must be turned over by all that follows from the change."""
    if any(isinstance(change, Points) for change in way):
        return True
    return _turned(playbook, way, person, condition, view)


def _turned(playbook: Playbook, way: Way, person: Person, condition: Condition, view: View) -> bool:
    after, later = changed(way, person, view)
    again = rescored(playbook, after, later).person
    kept = {change.leaf.field: change.value for change in way if isinstance(change, Value)}
    again = replace(again, fields={**again.fields, **{name: kept[name] for name in kept if name in person.fields}})
    return holds(condition, _moved_on(playbook, again, later), later) is not holds(condition, person, view)


def _moved_on(playbook: Playbook, person: Person, view: View) -> Person:
    """Forward at once to the furthest stage whose `when` holds, as a sweep would."""
    stages = playbook.journey.stages
    place = playbook.stage_position(str(person.fields.get("stage")))
    reached = [stage.name for stage in stages[place + 1 :] if stage.when and holds(stage.when, person, view)]
    return replace(person, fields={**person.fields, "stage": reached[-1]}) if reached else person


def _paid_acts(playbook: Playbook, person: Person, condition: Condition, view: View) -> Iterator[Way]:
    """The act of which the fewest are enough, the most telling first."""
    rules = sorted(playbook.scoring.engagement, key=lambda rule: (rule.events != ("page_viewed",), -rule.points))
    for times in range(1, _MORE + 1):
        for rule in rules:
            leaf = EventLeaf(events=rule.events, where=rule.where)
            way = (Acts(leaf=leaf, act=act_for(leaf, view.now), times=times),)
            if rule.points > 0 and rule.where and _turned(playbook, way, person, condition, view):
                yield way
                return


def _paid_answers(playbook: Playbook, person: Person, condition: Condition, view: View) -> Iterator[Way]:
    """The first answer of the file that a rule of the fit pays enough for."""
    for rule in playbook.scoring.fit:
        if rule.points > 0 and not holds(rule.when, person, view):
            for way in flips(rule.when, person, view, most=1):
                if _turned(playbook, way, person, condition, view):
                    yield way
                    return


def _spelt(playbook: Playbook, person: Person, condition: Condition) -> Condition:
    """Bands as the scores they stand for, criteria as what they ask."""
    match condition:
        case All(items):
            return All(tuple(_spelt(playbook, person, item) for item in items))
        case AnyOf(items):
            return AnyOf(tuple(_spelt(playbook, person, item) for item in items))
        case Not(item):
            return Not(_spelt(playbook, person, item))
        case FieldLeaf(field="band", operator="is" | "in"):
            return _bands(playbook, condition)
        case FieldLeaf(field="stage", operator="is", value=str() as name):
            return condition if person.fields.get("stage") == name else _stage(playbook, condition, name)
        case FieldLeaf(field="qualification", operator="at_least", value=int() as least):
            return _criteria(playbook, person, least)
        case FieldLeaf(field=name, operator="is", value="met") if name.startswith(CRITERION):
            criteria = {one.name: one.when for one in playbook.journey.criteria}
            return criteria.get(name.removeprefix(CRITERION), condition)
        case _:
            return condition


def _bands(playbook: Playbook, leaf: FieldLeaf) -> Condition:
    named = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    fit, heat = playbook.scoring.fit_bands, playbook.scoring.engagement_bands
    return AnyOf(
        tuple(All((*_range("fit", str(band)[0], fit), *_range("engagement", str(band)[1], heat))) for band in named)
    )


def _stage(playbook: Playbook, leaf: FieldLeaf, name: str) -> Condition:
    """What the stage asks, where anything can be asked: one that lies behind is not to be had."""
    stage = next((stage for stage in playbook.journey.stages if stage.name == name), None)
    return leaf if stage is None or stage.when is None else stage.when


def _range(field: str, name: str, bounds: tuple[tuple[str, int], ...]) -> Iterator[FieldLeaf]:
    """From the band's lower bound to just below that of the better one."""
    names = [band for band, _least in bounds]
    place = names.index(name) if name in names else len(names)
    if place < len(bounds):
        yield FieldLeaf(field=field, operator="at_least", value=bounds[place][1])
    if place:
        yield FieldLeaf(field=field, operator="under", value=bounds[place - 1][1])


def _criteria(playbook: Playbook, person: Person, least: int) -> Condition:
    """So many more criteria met: any choice of those that are not."""
    present = person.fields.get("qualification")
    lacking = least - (present if isinstance(present, int) else 0)
    unmet = [one.when for one in playbook.journey.criteria if person.fields.get(f"{CRITERION}{one.name}") != "met"]
    return AnyOf(tuple(All(some) for some in combinations(unmet, max(lacking, 0))))


def way_words(way: Way, view: View) -> str:
    """All of a way in words."""
    return " + ".join(_change_words(change, view) for change in way)


def _change_words(change: Change, view: View) -> str:
    match change:
        case Points():
            return _points_words(change)
        case Value():
            return asked_words(change.leaf, view, wanted=change.wanted, missing=change.value is None)
        case Acts():
            return _more_words(change, view)
        case Wait():
            return _("time alone, on {date}").format(date=moment_of(change.until + timedelta(minutes=1), view))
        case Membership(segment=name, inside=inside):
            return (_("in segment {segment}") if inside else _("not in segment {segment}")).format(segment=name)


def _points_words(change: Points) -> str:
    by, n = plain_points(change.by), abs(change.by) // 100 if change.by % 100 == 0 else 2
    if change.field == "fit":
        return ngettext("{by} point of fit", "{by} points of fit", n).format(by=by)
    if change.field == "velocity":
        return ngettext("{by} point won in 7 days", "{by} points won in 7 days", n).format(by=by)
    return ngettext("{by} point of engagement", "{by} points of engagement", n).format(by=by)


def _more_words(change: Acts, view: View) -> str:
    leaf, n = change.leaf, change.times
    if paths := visited(leaf):
        return ngettext("{n} more visit to {paths}", "{n} more visits to {paths}", n).format(n=n, paths=paths)
    return _("{n} × “{what}”").format(n=n, what=event_words(leaf, view.vocabulary))

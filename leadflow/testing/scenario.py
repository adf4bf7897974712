"""`tests/scenarios/*.yaml`: who there is, what they do and when, and what must have come of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from leadflow.errors import Fault, LeadflowError, PlaybookError
from leadflow.reading import Node, did_you_mean, read_yaml
from leadflow.testing.compare import WORDS, fault_of
from leadflow.testing.overlay import Changes
from leadflow.text import _

_STEP = ("at", "workspace", "sweep", "sales", "expect")
_ANSWERS = ("accept", "reject", "won", "lost")
#: What somebody does that is no event of the playbook.
VERBS = (
    "changes",
    "unsubscribes",
    "pauses",
    "clicks",
    "bounces",
    "complains",
    "deal",
    "suppressed",
    "refused",
    "cut_off",
)


class ScenarioError(PlaybookError):
    """A scenario cannot be played as it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """Somebody does something: a word of `VERBS`, an event, or a salesperson's answer."""

    who: str
    verb: str
    #: For an event its details; for `changes` the fields; for an answer its reason and amount.
    details: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    #: The first of several, or the one, happened then: told of late.
    since: datetime | None = None
    place: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must be so of one person, or of `sales`."""

    who: str
    word: str
    texts: tuple[str, ...]
    place: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instant: first what is done, then perhaps a sweep, then what must be so. Times are the office's, naive."""

    at: datetime
    changes: Changes = field(default_factory=dict)
    doings: tuple[Doing, ...] = ()
    #: `everyone`, or a person for the fast lane.
    sweep: str | None = None
    expect: tuple[Expectation, ...] = ()
    place: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story over simulated days."""

    title: str
    begin: datetime
    changes: Changes
    #: Name → when they become known, and their fields.
    people: Mapping[str, tuple[datetime, Mapping[str, str]]]
    story: tuple[Step, ...]


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file; ScenarioError with all its faults, located."""
    faults: list[Fault] = []
    root = read_yaml(path.name, path.read_text(), faults)
    scenario = _scenario(root) if root is not None else None
    if scenario is None or faults:
        raise ScenarioError(faults)
    return scenario


def _scenario(root: Node) -> Scenario:
    root.only("title", "begin", "workspace", "people", "story")
    begin = _instant(root.part("begin", needed=True))
    people = {key.raw: _person(node, begin) for key, node in root.part("people", needed=True).items()}
    steps = tuple(_step(node, tuple(people)) for node in root.part("story", needed=True).elements())
    for earlier, later in pairwise(steps):
        if later.at < earlier.at:
            root.faults.append(fault_of(later.place, "this is earlier than the step before it"))
    return Scenario(
        title=root.part("title", needed=True).text() or "",
        begin=begin,
        changes=_plain(root.part("workspace")) or {},
        people=people,
        story=steps,
    )


def _person(node: Node, begin: datetime) -> tuple[datetime, Mapping[str, str]]:
    fields = fields_of(node)
    arrives = node.get("arrives")
    fields.pop("arrives", None)
    return (_instant(arrives) if arrives else begin), fields


def _step(node: Node, people: tuple[str, ...]) -> Step:
    node.only(*_STEP, *people)
    sweep = node.part("sweep").choice(["everyone", *people]) if node.get("sweep") else None
    return Step(
        at=_instant(node.part("at", needed=True)),
        changes=_plain(node.part("workspace")) or {},
        doings=tuple(_doings(node, people)),
        sweep=sweep,
        expect=tuple(_expectations(node.part("expect"), people)),
        place=place_of(node),
    )


def _doings(node: Node, people: tuple[str, ...]) -> Iterator[Doing]:
    for key, value in node.items():
        if key.raw in people:
            yield from (doing_of(key.raw, one) for one in value.elements())
        elif key.raw == "sales":
            yield from (_answer(one, people) for one in value.elements())


def doing_of(who: str, node: Node) -> Doing:
    """`quote_requested`, `{page_viewed: /tarifs, times: 3}`, `{changes: {country: BE}}`, `{deal: won}`."""
    if node.is_scalar:
        return Doing(who=who, verb=node.raw, place=place_of(node))
    said = dict(node.named())
    times, since = said.pop("times", None), said.pop("since", None)
    verb, value = next(iter(said.items()), ("", node))
    if len(said) != 1:
        node.fault(_("one thing at a time: an event or a verb, and perhaps `times` and `since`"))
    return Doing(
        who=who,
        verb=verb,
        details=_details(verb, value),
        times=(times.integer(at_least=1) if times else None) or 1,
        since=_instant(since) if since else None,
        place=place_of(node),
    )


def _details(verb: str, node: Node) -> dict[str, str]:
    if node.is_mapping:
        return fields_of(node)
    return {"state" if verb in ("deal", "suppressed") else "path": node.raw}


def _answer(node: Node, people: tuple[str, ...]) -> Doing:
    """`{accept: lea}`, `{reject: lea, reason: no_project}`, `{won: lea, amount: 12000}`."""
    node.only(*_ANSWERS, "reason", "amount")
    verb = next((word for word in _ANSWERS if node.get(word)), "accept")
    who = node.part(verb, needed=True).choice(people) or ""
    details = {name: part.raw for name in ("reason", "amount") if (part := node.get(name))}
    return Doing(who=who, verb=f"sales {verb}", details=details, place=place_of(node))


def _expectations(node: Node, people: tuple[str, ...]) -> Iterator[Expectation]:
    node.only("sales", *people)
    for who, about in node.named():
        about.only(*WORDS[who == "sales"])
        for word, value in about.named():
            texts = () if value.raw == "nothing" else value.texts()
            known = WORDS[who == "sales"].get(word)
            for text in texts:
                if known and not known.pattern.fullmatch(text):
                    value.fault(f'"{text}" is not how {word} is written: {known.example}')
            yield Expectation(who=who, word=word, texts=texts, place=place_of(value))


def fields_of(node: Node) -> dict[str, str]:
    """Field → text; empty where a value is to go."""
    return {name: "" if value.absent else value.raw for name, value in node.named()}


def _plain(node: Node) -> Any:
    """Mappings, lists and texts; None where nothing is written."""
    if node.is_mapping:
        return {name: _plain(value) for name, value in node.named()}
    if node.is_list:
        return [_plain(element) for element in node.elements()]
    return None if node.absent else node.raw


def _instant(node: Node) -> datetime:
    try:
        return datetime.strptime(node.raw, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the office's zone is not known yet
    except ValueError:
        node.fault(f'expected an instant such as 2026-03-03 04:15, got "{node.raw}"')
        return datetime(1970, 1, 1)  # noqa: DTZ001 - as naive as what is read


def place_of(node: Node) -> Fault:
    """A fault at `node`, its words still to be said."""
    return Fault(file=node.file, line=node.line, column=node.column, message="")


def unknown_word(doing: Doing, words: tuple[str, ...]) -> ScenarioError:
    """Somebody does what nobody can do."""
    message = _('"{word}" is not known here.').format(word=doing.verb) + did_you_mean(doing.verb, (*VERBS, *words))
    return ScenarioError([fault_of(doing.place, message)])


def misfit(doing: Doing, error: LeadflowError) -> ScenarioError:
    """What somebody does was refused."""
    return ScenarioError([fault_of(doing.place, str(error))])

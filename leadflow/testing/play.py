"""Plays a scenario: marches the clock from step to step, and says where the world is not as expected."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from leadflow.errors import Fault, LeadflowError, RefusedError
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing.compare import check, fault_of
from leadflow.testing.overlay import Changes, lay_over
from leadflow.testing.scenario import Doing, Scenario, Step, misfit, unknown_word
from leadflow.testing.world import World, open_world


def play(
    scenario: Scenario, engine: Engine, workspace: Path, folder: Path, playbook: Playbook | None = None
) -> list[Fault]:
    """Play `scenario` on the empty database of `engine`; what was not as expected, each with its place.

    `folder` takes copies of the workspace's files where the scenario changes some. `playbook` is that of `workspace`,
    where it is read already.
    """
    book = lay_over(workspace, scenario.changes, folder) if scenario.changes else playbook or load_playbook(workspace)
    world = open_world(engine, book, _at(scenario.begin, book))
    coming = sorted((at, name) for name, (at, _fields) in scenario.people.items())
    faults: list[Fault] = []
    for step in scenario.story:
        now = _at(step.at, book)
        while coming and coming[0][0] <= step.at:
            at, name = coming.pop(0)
            world.live_until(_at(at, book))
            world.arrive(name, scenario.people[name][1])
        world.live_until(now)
        if step.changes:
            _change_files(world, workspace, step.changes, folder)
        faults += _live(world, step)
    return faults


def _live(world: World, step: Step) -> list[Fault]:
    for doing in step.doings:
        do(world, doing)
    if step.sweep == "everyone":
        world.sweep()
    elif step.sweep:
        world.sweep_one(step.sweep)
    faults = []
    for expected in step.expect:
        found = check(world, expected.who, expected.word, expected.texts)
        if found is not None:
            wanted = "; ".join(expected.texts) or "nothing"
            message = f"{step.at:%Y-%m-%d %H:%M} {expected.who}: {expected.word} should be {wanted}, but was: {found}"
            faults.append(fault_of(expected.place, message))
    return faults


def _change_files(world: World, workspace: Path, changes: Changes, folder: Path) -> None:
    world.app = replace(world.app, playbook=lay_over(workspace, changes, folder))


def do(world: World, doing: Doing) -> None:
    """Somebody does something now; ScenarioError, located, where they cannot."""
    events = world.app.playbook.vocabulary.events
    if doing.verb not in _DO and doing.verb not in events and not doing.verb.startswith("sales "):
        raise unknown_word(doing, tuple(events))
    try:
        if doing.verb.startswith("sales "):
            _answer(world, doing)
        elif doing.verb in events:
            _act(world, doing)
        else:
            _DO[doing.verb](world, doing.who, doing.details)
    except LeadflowError as error:
        raise misfit(doing, error) from error


_DO: Mapping[str, Callable[[World, str, Mapping[str, str]], None]] = {
    "changes": lambda world, who, fields: world.change(who, fields),
    "unsubscribes": lambda world, who, _details: world.unsubscribe(who),
    "pauses": lambda world, who, _details: world.pause(who),
    "clicks": lambda world, who, _details: world.click(who),
    "bounces": lambda world, who, _details: world.provider_says(who, "bounce"),
    "complains": lambda world, who, _details: world.provider_says(who, "spamreport"),
    "suppressed": lambda world, who, details: world.suppress(who, details["state"]),
    "refused": lambda world, who, _details: world.provider_fails(who, RefusedError("550 policy")),
    "cut_off": lambda world, who, _details: world.provider_fails(who, TimeoutError()),
    "deal": lambda world, who, details: world.deal(who, details["state"]),
}


def _act(world: World, doing: Doing) -> None:
    """The first of several acts at `since`, the others evenly later, the last one span before now."""
    since = _at(doing.since, world.app.playbook) if doing.since else world.now
    span = (world.now - since) / doing.times
    for i in range(doing.times):
        world.act(doing.who, doing.verb, at=since + i * span, **doing.details)


def _answer(world: World, doing: Doing) -> None:
    amount = doing.details.get("amount")
    world.answer(
        doing.who,
        doing.verb.removeprefix("sales "),
        reason=doing.details.get("reason"),
        amount=int(amount) * 100 if amount else None,
    )


def _at(wall: datetime, playbook: Playbook) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(playbook.office.zone))

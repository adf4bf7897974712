"""`config/sequences/<name>.yaml`: who enters, who leaves, and the steps in between."""

import re
from collections.abc import Mapping
from collections.abc import Sequence as Listed
from dataclasses import replace

from leadflow.conditions.vocabulary import Level
from leadflow.email.catalog import Email
from leadflow.errors import Fault, Severity
from leadflow.playbook.known import Known, fault_at, name_of, place_of, unique_names
from leadflow.playbook.model import Reentry, Sequence
from leadflow.reading import Node
from leadflow.steps import Step, Words, parse_step
from leadflow.steps.base import END
from leadflow.steps.email import EmailStep
from leadflow.text import _
from leadflow.types import Purpose

_PER_DAY = re.compile(r"([1-9][0-9]{0,6}) per day")
_KEYS = (
    "title",
    "track",
    "priority",
    "live",
    "existing",
    "enter",
    "exit",
    "goal",
    "on_unmatch",
    "reentry",
    "steps",
    "removed",
    "was",
)


def sequence_of(name: str, node: Node, known: Known, emails: Mapping[str, Email | None]) -> Sequence:
    """The file `config/sequences/<name>.yaml`; `emails` has None for those that could not be read."""
    node.only(*_KEYS)
    reader = _("sequences")
    priority, live = node.part("priority").integer(at_least=0, at_most=1000), node.part("live").boolean()
    steps = _steps(node.part("steps", needed=True), known, emails)
    return Sequence(
        name=name,
        title=node.part("title", needed=True).localised(known.languages),
        track=name_of(node.part("track", needed=True)),
        priority=50 if priority is None else priority,
        live=True if live is None else live,
        existing_per_day=_existing(node.part("existing")),
        enter=known.condition(node.part("enter", needed=True), limit=Level.ESCALATED, reader=reader),
        exit=known.optional_condition(node.part("exit"), limit=Level.ESCALATED, reader=reader),
        goal=known.optional_condition(node.part("goal"), limit=Level.ESCALATED, reader=reader),
        on_unmatch=node.part("on_unmatch").choice(["pause", "exit", "finish"]) or "pause",
        reentry=_reentry(node.part("reentry")),
        steps=steps,
        removed=_removed(node.part("removed"), [step.name for step in steps]),
        was=node.part("was").text(),
        service=_is_service(steps, emails),
        place=place_of(node),
    )


def _is_service(steps: Listed[Step], emails: Mapping[str, Email | None]) -> bool:
    """Whether all its mails, one at least, are service mails."""
    named = [emails.get(step.email or "") for step in steps if isinstance(step, EmailStep)]
    return bool(named) and all(email is not None and email.purpose is Purpose.SERVICE for email in named)


def _existing(node: Node) -> int | None:
    """`none | all | 100 per day`, or `{enter: 100 per day}`: 0 for none (the default), None for all."""
    enter = node
    if node.is_mapping:
        node.only("enter")
        enter = node.part("enter")
    if enter.absent or enter.raw == "none":
        return 0
    if enter.raw == "all":
        return None
    found = _PER_DAY.fullmatch(enter.raw)
    if not found:
        enter.fault(_('expected none, all, or a ramp such as "100 per day"'))
    return int(found[1]) if found else 0


def _reentry(node: Node) -> Reentry:
    """`once` (the default), `always`, or `{after: 180 days, at_most: 2}`."""
    if not node.is_mapping:
        return Reentry(again=node.choice(["once", "always"]) == "always")
    node.only("after", "at_most")
    after = node.part("after", needed=True).duration()
    return Reentry(again=True, cool_down=after or 1, at_most=node.part("at_most").integer(at_least=1))


def _removed(node: Node, steps: Listed[str]) -> Mapping[str, str]:
    for key, target in node.items():
        if key.raw in steps:
            key.fault(_('step "{step}" is still there').format(step=key.raw))
        target.choice([*steps, END])
    return {key.raw: target.raw for key, target in node.items()}


def _steps(node: Node, known: Known, emails: Mapping[str, Email | None]) -> tuple[Step, ...]:
    written = node.elements()
    if node.is_list and not written:
        node.fault(_("a sequence has one step at least"))
    for source in written:
        name_of(source.part("name", needed=True))
        was = source.part("was")
        if was.raw in {other.part("name").raw for other in written}:
            was.fault(_('step "{step}" is still there').format(step=was.raw))
    unique_names([step.part("name") for step in written])
    names = [step.part("name").raw for step in written]
    parsed = [parse_step(step, _words(known, emails, names, names[place + 1 :])) for place, step in enumerate(written)]
    for step, source in zip(parsed, written, strict=True):
        if isinstance(step, EmailStep) and step.best_for in known.stages:
            _check_best(step, source, emails)
    return tuple(step for step in parsed if step is not None)


def _words(known: Known, emails: Mapping[str, Email | None], steps: list[str], later: list[str]) -> Words:
    return Words(
        condition=lambda node: known.condition(node, limit=Level.ESCALATED, reader=_("sequences")),
        emails=sorted(emails),
        stages=known.stages,
        steps=steps,
        later=later,
    )


def _check_best(step: EmailStep, source: Node, emails: Mapping[str, Email | None]) -> None:
    """A fault when no email at all may be chosen for the step's stage."""
    for email in emails.values():
        # One that could not be read may be the one.
        if email is None or (
            email.pick == "best" and (not email.audience.stage or step.best_for in email.audience.stage)
        ):
            return
    source.part("email").fault(
        _("no email may be chosen here: none has {stage} in its for.stage").format(stage=step.best_for)
    )


def warn_unnamed(emails: Mapping[str, Email | None], sequences: Listed[Sequence], faults: list[Fault]) -> None:
    """A warning for each nurturing email that only a step may send, and no step names."""
    named = {step.email for sequence in sequences for step in sequence.steps if isinstance(step, EmailStep)}
    for email in emails.values():
        if email and email.pick == "named" and email.purpose is Purpose.NURTURE and email.name not in named:
            message = _("no step names this email, and pick: named keeps it from being chosen: nobody gets it")
            faults.append(replace(fault_at(email.place, message), severity=Severity.WARNING))

"""Sequences that everybody leaves at once, cases nobody meets, steps nobody comes to, emails asked for twice."""

from collections.abc import Iterator

from leadflow.conditions.tree import All, AnyOf, Condition, FieldLeaf, Not, leaves
from leadflow.errors import Fault
from leadflow.playbook.graph_logic import Logic, blamed
from leadflow.playbook.graph_rows import told
from leadflow.playbook.model import Playbook, Sequence
from leadflow.steps import Step
from leadflow.steps.base import END
from leadflow.steps.branch import BranchStep
from leadflow.steps.email import EmailStep
from leadflow.steps.wait import WaitStep
from leadflow.types import DAY, NOWHERE, Place, SpanKind

#: Who is in no sequence, whatever it says; people with sales only in one of service mails.
_GONE = FieldLeaf(field="lifecycle", operator="in", value=("customer", "disqualified"))
_WITH_SALES = FieldLeaf(field="with_sales", operator="is", value=True)
#: A week has five business days; a holiday more is as good as none.
_BUSINESS_DAY = 7 * DAY // 5


def check_sequence(sequence: Sequence, playbook: Playbook, logic: Logic) -> Iterator[Fault]:
    """Warnings about one sequence; none about its steps where nobody can be under way in it."""
    if not logic.can_hold(sequence.enter):
        return
    held = _GONE if sequence.service else AnyOf((_GONE, _WITH_SALES))
    if logic.implies(sequence.enter, held):
        yield told("sequence-held", _place(sequence.enter, sequence))
        return
    for way in ("exit", "goal"):
        leaves_by: Condition | None = getattr(sequence, way)
        if leaves_by is not None and logic.implies(sequence.enter, leaves_by):
            yield told("sequence-left", _place(leaves_by, sequence), way=way)
            return
    dead = dict(_dead_cases(sequence, logic))
    yield from dead.values()
    yield from _unreached(sequence, frozenset(dead))
    yield from _again(sequence, playbook)


def under_way(sequence: Sequence) -> Condition:
    """What holds for whoever moves on in `sequence`."""
    said = [Not(leave) for leave in (sequence.exit, sequence.goal) if leave is not None]
    if sequence.on_unmatch == "finish":
        return All(tuple(said))
    return All((sequence.enter, *said))


def _place(condition: Condition, sequence: Sequence) -> Place:
    return next((leaf.place for leaf in leaves(condition) if leaf.place != NOWHERE), sequence.place)


def _dead_cases(sequence: Sequence, logic: Logic) -> Iterator[tuple[tuple[str, int], Fault]]:
    """(step, case) of each case that nobody goes by."""
    here = under_way(sequence)
    for step in sequence.steps:
        if not isinstance(step, BranchStep):
            continue
        above: list[Condition] = []
        for n, (condition, _goto) in enumerate(step.cases):
            if condition is None:
                continue
            if what := logic.clash(condition):
                yield (step.name, n), told("never-holds", blamed(condition, what), what=what)
            elif what := logic.clash(All((here, condition))):
                yield (step.name, n), told("case-never", blamed(condition, what), what=what)
            elif above and not logic.can_hold(All((condition, *map(Not, above)))):
                yield (step.name, n), told("case-covered", _place(condition, sequence))
            else:
                above.append(condition)


def _unreached(sequence: Sequence, dead: frozenset[tuple[str, int]]) -> Iterator[Fault]:
    """Steps that nothing leads to, or only a case nobody goes by."""
    names = reached(sequence, dead)
    for step in sequence.steps:
        if step.name not in names:
            yield told("step-unreached", step.place, step=step.name)


def reached(sequence: Sequence, dead: frozenset[tuple[str, int]], *, without: str = "") -> frozenset[str]:
    """Names of the steps people come to when cases in `dead` never hold and nobody passes the step `without`."""
    found = {sequence.steps[0].name} if sequence.steps else set[str]()
    for place, step in enumerate(sequence.steps):
        if step.name not in found or step.name == without:
            continue
        found.update(_targets(step, dead))
        if step.goes_on and place + 1 < len(sequence.steps):
            found.add(sequence.steps[place + 1].name)
    return frozenset(found)


def _targets(step: Step, dead: frozenset[tuple[str, int]]) -> Iterator[str]:
    if isinstance(step, BranchStep):
        yield from (goto for n, (_when, goto) in enumerate(step.cases) if (step.name, n) not in dead)
    if step.then and step.then != END:
        yield step.then


def _again(sequence: Sequence, playbook: Playbook) -> Iterator[Fault]:
    """Steps whose email an earlier step has sent to whoever comes here, too recently to send it again."""
    steps = sequence.steps
    for place, step in enumerate(steps):
        if not isinstance(step, EmailStep) or step.email is None:
            continue
        before = [n for n in range(place) if getattr(steps[n], "email", None) == step.email]
        for n in before:
            # Nobody comes here but by that step, and not even the longest way takes long enough.
            waited = sum(_waited(other) for other in steps[n:place])
            passed = step.name not in reached(sequence, frozenset(), without=steps[n].name)
            if passed and waited < playbook.emails[step.email].again_after:
                yield told("email-again", step.place, step=steps[n].name)
                break


def _waited(step: Step) -> int:
    if not isinstance(step, WaitStep):
        return 0
    return step.span.amount * (_BUSINESS_DAY if step.span.kind is SpanKind.BUSINESS_DAYS else 1)

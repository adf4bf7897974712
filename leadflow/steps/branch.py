"""`branch: [{when: …, goto: learn-3}, {else: true, goto: last-word}]`: go where the first case that holds says."""

from dataclasses import dataclass

from leadflow.conditions.tree import Condition
from leadflow.reading import Node
from leadflow.steps.base import Head, Step, Words
from leadflow.text import _

KEYS = {
    "branch": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "when": {"$ref": "#/$defs/condition"},
                "else": {"const": True},
                "goto": {"type": ["string", "integer"]},
            },
            "required": ["goto"],
            "additionalProperties": False,
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchStep(Step):
    #: (condition, step to go to); None is `else`. Without an else that holds, the next step in the file.
    cases: tuple[tuple[Condition | None, str], ...]

    @property
    def targets(self) -> tuple[str, ...]:
        return (*(goto for _condition, goto in self.cases), *Step.targets.__get__(self))

    @property
    def goes_on(self) -> bool:
        return self.then is None and all(condition is not None for condition, _goto in self.cases)


def parse(node: Node, words: Words, head: Head) -> BranchStep:
    """The branch written at `node`."""
    cases = node.part("branch").elements()
    for case in cases[:-1]:
        if case.get("else"):
            case.fault(_("else comes last: no case after it is ever looked at"))
    return BranchStep(**head, cases=tuple(_case(case, words) for case in cases))


def _case(node: Node, words: Words) -> tuple[Condition | None, str]:
    node.only("when", "else", "goto")
    goto = words.target(node.part("goto", needed=True))
    if node.part("when").absent:
        if node.part("else", needed=True).boolean() is False:
            node.part("else").fault(_("write else: true"))
        return None, goto
    if node.get("else"):
        node.key("else").fault(_("a case has when or else, not both"))
    return words.condition(node.part("when")), goto

"""`branch: [{when: …, goto: learn-3}, {else: true, goto: last-word}]`: go where the first case that holds says."""

from dataclasses import dataclass

from leadflow.conditions.tree import Condition
from leadflow.steps.base import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchStep(Step):
    #: (condition, step to go to); None is `else`. Without an else that holds, the next step in the file.
    cases: tuple[tuple[Condition | None, str], ...]

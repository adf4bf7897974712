"""`email: welcome` or `email: {best_for: discovery}`: send the named email, or the best one for the person."""

from dataclasses import dataclass

from leadflow.steps.base import Step
from leadflow.types import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailStep(Step):
    """Exactly one of `email` and `best_for` (a stage's name) is set."""

    email: str | None = None
    best_for: str | None = None
    #: skip, wait or exit.
    when_none: str = "skip"
    #: next or exit.
    on_fail: str = "next"
    #: Not sent within this span of planning: skipped with a reason.
    expires: Span | None = None

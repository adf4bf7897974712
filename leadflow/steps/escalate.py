"""`escalate: {reason: stayed-silent, answer_within: 1 business_day}`: hand the lead to sales from a sequence."""

from dataclasses import dataclass

from leadflow.steps.base import Step
from leadflow.types import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateStep(Step):
    reason: str
    answer_within: Span

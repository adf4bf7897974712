"""`wait: 3 business_days`: stay here that long after the step before completed."""

from dataclasses import dataclass

from leadflow.steps.base import Step
from leadflow.types import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStep(Step):
    span: Span

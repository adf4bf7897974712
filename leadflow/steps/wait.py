"""`wait: 3 business_days`: stay here that long after the step before completed."""

from dataclasses import dataclass

from leadflow.reading import Node
from leadflow.steps.base import Head, Step, Words
from leadflow.types import Span, SpanKind

KEYS = {"wait": {"$ref": "#/$defs/span"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStep(Step):
    span: Span


def parse(node: Node, _words: Words, head: Head) -> WaitStep | None:
    """The wait written at `node`; days or hours, those of business or not."""
    span = node.part("wait").span(SpanKind.ELAPSED, SpanKind.BUSINESS_DAYS)
    return WaitStep(**head, span=span) if span else None

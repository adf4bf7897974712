"""`escalate: {reason: stayed-silent, answer_within: 1 business_day}`: hand the lead to sales from a sequence."""

from dataclasses import dataclass

from leadflow.reading import Node
from leadflow.steps.base import Head, Step, Words
from leadflow.types import Span, SpanKind

KEYS = {
    "escalate": {
        "type": "object",
        "properties": {"reason": {"type": "string"}, "answer_within": {"$ref": "#/$defs/span"}},
        "required": ["reason", "answer_within"],
        "additionalProperties": False,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateStep(Step):
    reason: str
    answer_within: Span


def parse(node: Node, _words: Words, head: Head) -> EscalateStep:
    """The hand-over written at `node`."""
    what = node.part("escalate")
    what.only("reason", "answer_within")
    return EscalateStep(
        **head,
        reason=what.part("reason", needed=True).text() or "",
        answer_within=what.part("answer_within", needed=True).span() or Span(kind=SpanKind.BUSINESS_DAYS, amount=1),
    )

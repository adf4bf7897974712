"""`email: welcome` or `email: {best_for: discovery}`: send the named email, or the best one for the person."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadflow.reading import Node, did_you_mean
from leadflow.steps.base import Head, Step, Words
from leadflow.text import _
from leadflow.types import Span

SKIP, WAIT, EXIT, NEXT = "skip", "wait", "exit", "next"
_WHEN_NONE = (SKIP, WAIT, EXIT)
_ON_FAIL = (NEXT, EXIT)
KEYS = {
    "email": {
        "anyOf": [
            {"$ref": "#/$defs/email"},
            {
                "type": "object",
                "properties": {"best_for": {"$ref": "#/$defs/stage"}},
                "required": ["best_for"],
                "additionalProperties": False,
            },
        ]
    },
    "when_none": {"enum": [*_WHEN_NONE]},
    "on_fail": {"enum": [*_ON_FAIL]},
    "expires": {"$ref": "#/$defs/span"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailStep(Step):
    """Exactly one of `email` and `best_for` (a stage's name) is set."""

    email: str | None = None
    best_for: str | None = None
    #: skip, wait or exit.
    when_none: str = SKIP
    #: next or exit.
    on_fail: str = NEXT
    #: Not sent within this span of planning: skipped with a reason.
    expires: Span | None = None


def parse(node: Node, words: Words, head: Head) -> EmailStep:
    """The email step written at `node`."""
    what, email, best_for = node.part("email"), None, None
    if what.is_mapping:
        what.only("best_for")
        best_for = _known(what.part("best_for", needed=True), words.stages, _('no stage is called "{name}".'))
    else:
        email = _known(what, words.emails, _('no email is called "{name}".'))
    return EmailStep(
        **head,
        email=email,
        best_for=best_for,
        when_none=node.part("when_none").choice(_WHEN_NONE) or SKIP,
        on_fail=node.part("on_fail").choice(_ON_FAIL) or NEXT,
        expires=node.part("expires").span(),
    )


def _known(node: Node, names: Sequence[str], message: str) -> str | None:
    name = node.text()
    if name is not None and name not in names:
        node.fault(message.format(name=name) + did_you_mean(name, names))
    return name

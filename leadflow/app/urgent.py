"""Which acts do not wait for the night: raised hands, and whatever an `at: once` rule of sales.yaml looks at."""

from collections.abc import Iterator

from leadflow.conditions.tree import EventLeaf, FieldLeaf, SegmentLeaf, leaves
from leadflow.playbook.model import Playbook
from leadflow.scoring.rules import won_by

#: A hand raised is answered at once whatever the rules say.
HAND_RAISES = frozenset({"demo_requested", "quote_requested", "meeting_booked"})
#: Answers change fields, and with them everything that is worked out from fields.
_ANSWERS = "form_submitted"


def urgent_acts(playbook: Playbook) -> frozenset[str]:
    """The kinds of act after which a lead may have to be handed over at once.

    A rule that reads a score, a field or a segment is moved by every act that scores and by answers.
    """
    asked = tuple(_leaves(playbook))
    named = {kind for leaf in asked if isinstance(leaf, EventLeaf) for kind in leaf.events}
    if all(isinstance(leaf, EventLeaf) for leaf in asked):
        return HAND_RAISES | named
    scored = {kind for rule in playbook.scoring.engagement for kind in won_by(rule).kinds}
    return HAND_RAISES | named | scored | {_ANSWERS}


def _leaves(playbook: Playbook) -> Iterator[FieldLeaf | EventLeaf | SegmentLeaf]:
    for rule in playbook.sales.hot:
        if rule.at == "once":
            yield from leaves(rule.when)

"""Who may be mailed, and why others may not: the same ordered reasons for planning, intent, `why` and the counts."""

from leadflow.eligibility.audience import bit_of, for_segments
from leadflow.eligibility.blocks import (
    Block,
    confirming_blocks,
    first_reason,
    is_wished,
    planning_blocks,
    row_blocks,
)
from leadflow.eligibility.held import held, pause_detail, paused
from leadflow.eligibility.tonight import MAILED, Tonight, reason_tonight, tonight, words_tonight

__all__ = [
    "MAILED",
    "Block",
    "Tonight",
    "bit_of",
    "confirming_blocks",
    "first_reason",
    "for_segments",
    "held",
    "is_wished",
    "pause_detail",
    "paused",
    "planning_blocks",
    "reason_tonight",
    "row_blocks",
    "tonight",
    "words_tonight",
]

"""What a point is worth: the blocks that the score phase and `why` share."""

from leadflow.scoring.history import engagement_at, velocity_at
from leadflow.scoring.rules import RECYCLED
from leadflow.scoring.sheet import Entry, Sheet, Term, TermKind, add_up, band_of
from leadflow.scoring.terms import ScoreTerms, score_terms

__all__ = [
    "RECYCLED",
    "Entry",
    "ScoreTerms",
    "Sheet",
    "Term",
    "TermKind",
    "add_up",
    "band_of",
    "engagement_at",
    "score_terms",
    "velocity_at",
]

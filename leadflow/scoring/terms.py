"""A lead's scores line by line: `why` prints these, and they add up to what the sweep stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from leadflow.playbook.model import Playbook, Scoring
from leadflow.scoring.columns import facts, kept_rules
from leadflow.scoring.sheet import Entry, Sheet, add_up, band_of, clamp


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTerms:
    """Both scores of a lead with the lines that make them."""

    fit: Sheet
    engagement: Sheet
    #: Points won in the last seven days, in hundredths.
    velocity: int
    band: str
    #: The veto rule that forces D.
    veto: str | None


def score_terms(
    session: Session, playbook: Playbook, lead_ids: Sequence[int], now: datetime
) -> Mapping[int, ScoreTerms]:
    """The terms of `lead_ids` at `now`, from the same sums as the sweep's; acts it has not folded yet are not in."""
    asked = facts(playbook, now, kept_rules(session), lambda lead_id: lead_id.in_(lead_ids))
    return {row["lead_id"]: _terms(playbook.scoring, row) for row in session.execute(asked).mappings()}


def _terms(scoring: Scoring, row: Mapping[Any, Any]) -> ScoreTerms:
    fit = add_up([Entry(r.name, r.group, row[f"f{i}"]) for i, r in enumerate(scoring.fit)], scoring.fit_groups)
    rules = list(enumerate(scoring.engagement))
    heat = add_up([Entry(r.name, r.group, row.get(f"e{i}", 0), r.max) for i, r in rules], scoring.engagement_groups)
    return ScoreTerms(
        fit=fit,
        engagement=heat,
        velocity=sum(clamp(row[f"w{i}"], r.max) for i, r in rules),
        band=band_of(scoring, fit=fit.score, engagement=heat.score, veto=row["veto"]),
        veto=row["veto"],
    )

"""Phase score: fit, engagement, velocity and band of every lead in scope."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import greatest, least, once, stage, unstage
from leadflow.models import lead, lead_score
from leadflow.pipeline.scope import in_scope, not_ahead
from leadflow.pipeline.score_fold import fold_everything, fold_inbox, forget_dirty
from leadflow.pipeline.score_rules import sync_rules
from leadflow.playbook.model import Playbook
from leadflow.scoring.columns import Chosen, Kept, decayed_terms, kept_rules, person_points, won_lately
from leadflow.scoring.sheet import HIGHEST, POINT
from leadflow.types import Outcome, Phase, Scope


def score_leads(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> Outcome:
    """Fold what came in, then write the scores that changed.

    A changed rule or a new landmark is folded again for everyone, in the fast lane too; scores are written in scope.
    """
    synced = sync_rules(session, playbook.scoring.engagement, now)
    dirty = forget_dirty(session, now, scope)
    folded = fold_inbox(session, synced.going_on, now, scope)
    fold_everything(session, synced.changed)

    def chosen(lead_id: ColumnElement[int]) -> ColumnElement[bool]:
        return and_(in_scope(lead_id, scope), not_ahead(lead_id, now))

    read, changed = _write_scores(session, playbook, now, chosen)
    counts = {"folded": folded, "refolded": len(synced.changed), "dirty": dirty}
    return Outcome(phase=Phase.SCORE, read=read, changed=changed, counts=counts)


def _write_scores(session: Session, playbook: Playbook, now: datetime, chosen: Chosen) -> tuple[int, int]:
    """lead_score of the chosen leads, those that differ and the new ones; how many were read and how many changed."""
    unscored = select(lead.c.id).where(~exists().where(lead_score.c.lead_id == lead.c.id), chosen(lead.c.id))
    session.execute(insert(lead_score).from_select(["lead_id"], unscored))
    scored = stage(session, "scored", _scored(playbook, now, kept_rules(session), chosen))
    same_lead = lead_score.c.lead_id == scored.c.lead_id
    values = {name: scored.c[name] for name in ("fit", "engagement", "velocity", "band", "veto")}
    differs = or_(*(lead_score.c[name].is_distinct_from(value) for name, value in values.items()))
    written = session.execute(update(lead_score).where(same_lead, differs).values(values))
    unstage(session, scored)
    read = session.scalar(select(func.count()).select_from(lead).where(chosen(lead.c.id)))
    return read or 0, int(written.rowcount)  # type: ignore[attr-defined]


def _scored(playbook: Playbook, now: datetime, kept: Kept, chosen: Chosen) -> Select[Any]:
    """The scores of the chosen leads, capped and clipped, with their band.

    Points are added up before people, sums and recent acts are joined: one column of each goes through, not thirty.
    """
    person = once(_fit(playbook, person_points(playbook, now, chosen).subquery("points")), "person")
    joined: FromClause = person
    scores: dict[str, ColumnElement[int]] = {name: literal(0, BigInteger) for name in ("engagement", "velocity")}
    for name, added in (
        ("engagement", _heat(playbook, decayed_terms(playbook, now, kept, chosen))),
        ("velocity", _lately(playbook, won_lately(playbook, now, chosen))),
    ):
        if added is not None:
            joined = joined.outerjoin(added, added.c.lead_id == person.c.lead_id)
            scores[name] = func.coalesce(added.c[name], 0)
    columns = [column.label(name) for name, column in scores.items()]
    judged = once(select(person, *columns).select_from(joined), "judged")
    return select(judged, _band(playbook, judged).label("band"))


def _fit(playbook: Playbook, points: Subquery) -> Select[Any]:
    fit = [(rule.group, points.c[f"f{i}"]) for i, rule in enumerate(playbook.scoring.fit)]
    return select(points.c.lead_id, _added_up(fit, playbook.scoring.fit_groups).label("fit"), points.c.veto)


def _heat(playbook: Playbook, terms: Subquery | None) -> Subquery | None:
    if terms is None:
        return None
    rules = [(rule, terms.c.get(f"e{i}")) for i, rule in enumerate(playbook.scoring.engagement)]
    heat = [(rule.group, _clamped(term, rule.max)) for rule, term in rules if term is not None]
    added = _added_up(heat, playbook.scoring.engagement_groups).label("engagement")
    return select(terms.c.lead_id, added).subquery("heat")


def _lately(playbook: Playbook, terms: Subquery | None) -> Subquery | None:
    if terms is None:
        return None
    won = [_clamped(terms.c[f"w{i}"], rule.max) for i, rule in enumerate(playbook.scoring.engagement)]
    return select(terms.c.lead_id, _sum(won).label("velocity")).subquery("recent")


def _added_up(values: Iterable[tuple[str, ColumnElement[int]]], groups: Mapping[str, int]) -> ColumnElement[int]:
    by_group: dict[str, list[ColumnElement[int]]] = {}
    for group, value in values:
        by_group.setdefault(group, []).append(value)
    total = _sum([_clamped(_sum(columns), groups.get(group)) for group, columns in by_group.items()])
    return greatest(0, least(HIGHEST, total))


def _clamped(value: ColumnElement[int], bound: int | None) -> ColumnElement[int]:
    return value if bound is None else greatest(-bound * POINT, least(bound * POINT, value))


def _sum(values: Sequence[ColumnElement[int]]) -> ColumnElement[int]:
    return sum(values[1:], start=values[0]) if values else literal(0, BigInteger)


def _band(playbook: Playbook, judged: Subquery) -> ColumnElement[str]:
    scoring = playbook.scoring
    letters = [(judged.c.fit >= least_ * POINT, name) for name, least_ in scoring.fit_bands]
    digits = [(judged.c.engagement >= least_ * POINT, name) for name, least_ in scoring.engagement_bands]
    letter = case((judged.c.veto.is_not(None), "D"), *letters, else_="D")
    return letter.concat(case(*digits, else_="4"))

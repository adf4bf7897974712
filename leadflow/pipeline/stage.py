"""Phase stage: who meets which criterion, where on the journey each lead stands, and which leads are prospects."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    TableClause,
    Update,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from leadflow.conditions.compile import compile_condition
from leadflow.db import insert_into, json_object, stage, unstage
from leadflow.models import lead_score, lead_state, lifecycle_change, stage_change
from leadflow.pipeline.decisions import record_decisions
from leadflow.pipeline.scope import in_scope, looked_at
from leadflow.pipeline.stage_judged import judged_state, stage_sources
from leadflow.playbook.model import Playbook
from leadflow.types import Lifecycle, Outcome, Phase, Scope, micros


def stage_leads(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> Outcome:
    """Judge criteria and stage in one pass, record the moves, then make prospects of those who qualify."""
    chosen = and_(in_scope(lead_state.c.lead_id, scope), looked_at(lead_state.c.as_of, now))
    judged = stage(session, "judged_state", judged_state(playbook, now, chosen))
    written = session.execute(_write_state(judged, now))
    unstage(session, judged)
    _record_moves(session, playbook, now, chosen)
    session.execute(_make_prospects(playbook, now, chosen))
    _record_prospects(session, playbook, now, chosen)
    counts = _counts(session, playbook, now, chosen)
    changed = int(written.rowcount)  # type: ignore[attr-defined]
    return Outcome(phase=Phase.STAGE, read=counts.pop("read"), changed=changed, counts=counts)


def _write_state(judged: TableClause, now: datetime) -> Update:
    """lead_state of the leads in `judged`."""
    old = lead_state.c
    values = {name: judged.c[name] for name in ("criteria", "qualification", "stage", "unmet_since")}
    moves = old.stage != judged.c.stage
    since = {
        "stage_since": case((moves, micros(now)), else_=old.stage_since),
        "stage_before": case((moves, old.stage), else_=old.stage_before),
    }
    return update(lead_state).where(old.lead_id == judged.c.lead_id).values(values | since)


def _record_moves(session: Session, playbook: Playbook, now: datetime, chosen: ColumnElement[bool]) -> None:
    """stage_change and decisions of those who moved at `now`; a second move at one instant keeps the first `before`."""
    here = (lead_state.c.stage_since == micros(now), lead_state.c.stage_before.is_not(None), chosen)
    state = lead_state.c
    moves = select(state.lead_id, literal(micros(now)), state.stage_before, state.stage, literal(playbook.version))
    add = insert_into(session, stage_change).from_select(
        ["lead_id", "at", "before", "after", "playbook"], moves.where(*here)
    )
    add = add.on_conflict_do_update(
        index_elements=["lead_id", "at"],
        set_={"after": add.excluded.after, "playbook": add.excluded.playbook},
        where=stage_change.c.after != add.excluded.after,
    )
    session.execute(add)
    rows = _with_inputs(state.stage, {"before": state.stage_before}).where(*here)
    record_decisions(session, rows, kind="stage", now=now, playbook=playbook)


def _with_inputs(subject: ColumnElement[str], more: Mapping[str, ColumnElement[str]]) -> Select[tuple[int]]:
    """A decision about each lead, with the scores it saw."""
    scores = {name: lead_score.c[name] for name in ("fit", "engagement", "band")}
    joined = lead_state.outerjoin(lead_score, lead_score.c.lead_id == lead_state.c.lead_id)
    seen = json_object({**more, **scores, "qualification": lead_state.c.qualification})
    return select(lead_state.c.lead_id, subject.label("subject"), seen.label("detail")).select_from(joined)


def _make_prospects(playbook: Playbook, now: datetime, chosen: ColumnElement[bool]) -> Update:
    """lead_state of leads for whom journey.yaml's `prospect` holds; nothing takes it back, nobody else is touched."""
    when, sources = playbook.journey.lifecycle.prospect_when, stage_sources(playbook, spent=True)
    holds = literal(1) == 0 if when is None else compile_condition(when, sources, now, playbook.vocabulary)
    ready = select(sources.lead_id).select_from(sources.from_).where(lead_state.c.lifecycle == Lifecycle.LEAD, holds)
    return (
        update(lead_state)
        .where(lead_state.c.lifecycle == Lifecycle.LEAD, lead_state.c.lead_id.in_(ready.correlate(None)), chosen)
        .values(lifecycle=Lifecycle.PROSPECT, lifecycle_since=micros(now))
    )


def _record_prospects(session: Session, playbook: Playbook, now: datetime, chosen: ColumnElement[bool]) -> None:
    """lifecycle_change and decisions of those who became prospects at `now`."""
    here = (lead_state.c.lifecycle == Lifecycle.PROSPECT, lead_state.c.lifecycle_since == micros(now), chosen)
    at, move = literal(micros(now)), lifecycle_change.c
    told = exists().where(
        move.lead_id == lead_state.c.lead_id, move.recorded_at == micros(now), move.after == Lifecycle.PROSPECT
    )
    words = [literal(str(word)) for word in (Lifecycle.LEAD, Lifecycle.PROSPECT, "sweep")]
    moves = select(lead_state.c.lead_id, *words, at, at.label("recorded")).where(*here, ~told)
    columns = ["lead_id", "before", "after", "cause", "effective_at", "recorded_at"]
    rows = _with_inputs(literal(str(Lifecycle.PROSPECT)), {}).where(*here, ~told)
    record_decisions(session, rows, kind="lifecycle", now=now, playbook=playbook)
    session.execute(insert(lifecycle_change).from_select(columns, moves))


def _counts(session: Session, playbook: Playbook, now: datetime, chosen: ColumnElement[bool]) -> dict[str, int]:
    """How many were read, moved up and down the journey at `now`, and became prospects."""
    names = {stage.name: i for i, stage in enumerate(playbook.journey.stages)}
    before, after = (case(names, value=lead_state.c[name], else_=0) for name in ("stage_before", "stage"))
    moved = and_(lead_state.c.stage_since == micros(now), lead_state.c.stage_before.is_not(None))
    prospect = and_(lead_state.c.lifecycle == Lifecycle.PROSPECT, lead_state.c.lifecycle_since == micros(now))
    tests = {"up": and_(moved, after > before), "down": and_(moved, after < before), "prospects": prospect}
    counted = (func.count().filter(test).label(name) for name, test in tests.items())
    asked = select(func.count().label("read"), *counted).select_from(lead_state).where(chosen)
    return {name: int(n) for name, n in session.execute(asked).one()._mapping.items()}

"""One statement a pool gives the same as assigning one lead after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from leadflow.models import assignment, decision, escalation
from leadflow.pipeline.routing import ANY, can_take, route_handovers
from leadflow.playbook.model import Playbook, Route, Salesperson
from leadflow.types import EVERYONE
from tests.build import NIGHT, add_event, add_lead
from tests.pipeline.sales import (
    INES,
    MANAGER,
    MARC,
    ROUTES,
    SEGMENTS,
    SOFIA,
    add_account,
    ask_quote,
    away,
    escalate,
    handed,
    sales,
    selling,
)


@dataclass(kw_only=True)
class Waiting:
    """A lead to be handed over."""

    id: int
    segment: str | None = None
    language: str | None = None
    owner: str | None = None
    engagement: int = 0
    rep: str = ""
    route: str = ""


@dataclass(kw_only=True)
class Load:
    """What a salesperson has already."""

    today: int = 0
    open: int = 0
    #: (day, place in tonight's order): the order in which they were last given one.
    last: tuple[int, int] = (0, 0)


#: Later than any day of the history.
_TONIGHT = 1000


def assign_one_by_one(playbook: Playbook, leads: Sequence[Waiting], loads: dict[str, Load]) -> None:
    """The oracle: for each pool, the hottest lead first, to whoever waited longest and has room."""
    team = [rep for rep in playbook.sales.team if not rep.away]
    turns = count(1)
    for route in playbook.sales.routes:
        for pool in _pools(route, team, leads):
            for lead in sorted(pool[1], key=lambda one: (-one.engagement, one.id)):
                free = [rep for rep in pool[0] if _room(rep, loads[rep.name])]
                if not lead.rep and free:
                    chosen = min(free, key=lambda rep: (loads[rep.name].last, pool[0].index(rep)))
                    _give(lead, chosen, route, loads[chosen.name], next(turns) if route.to == "team_by" else None)


def _pools(
    route: Route, team: list[Salesperson], leads: Sequence[Waiting]
) -> list[tuple[list[Salesperson], list[Waiting]]]:
    if route.to == "account_owner":
        return [([rep], [one for one in leads if one.owner == rep.name]) for rep in team]
    if route.to == "manager":
        return [([MANAGER], list(leads))]
    pools: dict[tuple[str, ...], tuple[list[Salesperson], list[Waiting]]] = {}
    for segment in (*SEGMENTS, None) if "segment" in route.by else (ANY,):
        for language in ("fr", "en"):
            reps = [rep for rep in team if can_take(rep, segment, language)]
            mine = [one for one in leads if segment in (ANY, one.segment) and _read(one) == language]
            pools.setdefault(tuple(rep.name for rep in reps), (reps, []))[1].extend(mine)
    return list(pools.values())


def _read(lead: Waiting) -> str:
    return "en" if (lead.language or "").split("-")[0] == "en" else "fr"


def _room(rep: Salesperson, load: Load) -> bool:
    within_day = rep.per_day is None or load.today < rep.per_day
    return within_day and (rep.open is None or load.open < rep.open)


def _give(lead: Waiting, rep: Salesperson, route: Route, load: Load, turn: int | None) -> None:
    lead.rep, lead.route = rep.name, route.name
    load.today, load.open = load.today + 1, load.open + 1
    load.last = load.last if turn is None else (_TONIGHT, turn)


_limits = st.sampled_from([None, 0, 1, 2, 3, 5, 9])
_reps = st.tuples(_limits, _limits, st.sampled_from([False, False, True]))
_leads = st.tuples(
    st.sampled_from(["online-shops", "manufacturers", None]),
    st.sampled_from(["fr", "fr-be", "en", "en-ie", "de", None]),
    st.sampled_from([None, None, "Inès", "Marc", "Nobody"]),
    st.integers(0, 3),
)
_history = st.lists(st.tuples(st.sampled_from(["Inès", "Marc", "Sofia"]), st.integers(0, 9), st.booleans()), max_size=8)


@settings(max_examples=max(60, settings().max_examples))
@given(limits=st.tuples(_reps, _reps, _reps), people=st.lists(_leads, min_size=2, max_size=14), history=_history)
def test_routing_in_one_statement_equals_assigning_one_by_one(
    session: Session,
    limits: tuple[Any, ...],
    people: list[tuple[Any, ...]],
    history: list[tuple[str, int, bool]],
) -> None:
    session.rollback()
    gone = away("2026-03-23", "2026-03-23")
    team = tuple(
        replace(rep, per_day=per_day, open=most, away=gone if absent else ())
        for rep, (per_day, most, absent) in zip((INES, MARC, SOFIA), limits, strict=True)
    )
    made = selling(sales=sales(team=team))
    loads = {rep.name: Load() for rep in (*team, MANAGER)}
    _lived(session, history, loads)
    leads = [
        Waiting(id=n, segment=segment, language=language, owner=owner, engagement=heat)
        for n, (segment, language, owner, heat) in enumerate(people, start=1)
    ]
    _wait(session, leads)

    route_handovers(session, made, NIGHT, EVERYONE)
    assign_one_by_one(made, leads, loads)

    rows = select(escalation.c.lead_id, escalation.c.rep, escalation.c.route).where(escalation.c.lead_id < 100)
    found = {row.lead_id: (row.rep, row.route) for row in session.execute(rows)}
    assert {one.id: (one.rep, one.route) for one in leads} == found
    session.rollback()


_SHARED = {"number": 1, "rule": "hot-profile", "route": "", "playbook": "p", "due_at": NIGHT}


def _lived(session: Session, history: list[tuple[str, int, bool]], loads: dict[str, Load]) -> None:
    for n, (rep, days, closed) in enumerate(history, start=100):
        opened = NIGHT - timedelta(days=days, minutes=n)
        add_lead(session, n)
        row = {"id": n, "lead_id": n, "rep": rep, "opened_at": opened, "closed_at": NIGHT if closed else None}
        session.execute(insert(escalation), row | _SHARED)
        session.execute(insert(assignment), {"escalation_id": n, "at": opened, "rep": rep, "route": "", "turn": 1})
        load = loads[rep]
        load.open += not closed
        # 03:15 UTC less an hour and a half is the same day in Paris.
        load.today += days == 0
        load.last = max(load.last, (999 - days, -n))


def _wait(session: Session, leads: list[Waiting]) -> None:
    for one in leads:
        add_account(session, one.id, owner=one.owner)
        state, score = {"segment_main": one.segment}, {"engagement": one.engagement}
        add_lead(session, one.id, account_id=one.id, language=one.language, state=state, score=score)
        session.execute(insert(escalation), {"id": one.id, "lead_id": one.id, "rep": "", "opened_at": NIGHT} | _SHARED)


def test_a_known_company_goes_to_its_owner(session: Session) -> None:
    add_account(session, 5, owner="Marc")
    add_lead(session, 1, account_id=5, language="en")
    ask_quote(session, 1, 1)

    escalate(session)

    assert handed(session) == [(1, "hand-raise", "Marc")]


@pytest.mark.parametrize("owner", ["Hélène", None])
def test_a_company_of_the_manager_goes_to_the_manager(session: Session, owner: str | None) -> None:
    add_account(session, 5, owner=owner)
    add_lead(session, 1, account_id=5)
    ask_quote(session, 1, 1)

    escalate(session)

    assert handed(session)[0][2] == (owner or "Sofia")


def test_whoever_waited_longest_is_next(session: Session) -> None:
    for lead_id in range(1, 6):
        add_lead(session, lead_id, language="fr", state={"segment_main": "online-shops"})
        ask_quote(session, lead_id, lead_id)

    escalate(session)

    assert [rep for _, _, rep in handed(session)] == ["Inès", "Sofia", "Inès", "Sofia", "Inès"]


def test_the_turn_goes_on_where_the_night_before_left_it(session: Session) -> None:
    for lead_id in range(1, 4):
        add_lead(session, lead_id, language="fr", state={"segment_main": "online-shops"})
        ask_quote(session, lead_id, lead_id)
    escalate(session)
    assert [rep for _, _, rep in handed(session)] == ["Inès", "Sofia", "Inès"]
    add_lead(session, 9, language="fr", state={"segment_main": "online-shops"})
    add_event(session, 9, 9, "quote_requested", occurred_at=NIGHT + timedelta(hours=20))

    escalate(session, now=NIGHT + timedelta(days=1))

    assert handed(session)[-1][2] == "Sofia"


def test_without_a_manager_in_the_routes_nobody_is_left_without_a_salesperson(session: Session) -> None:
    add_lead(session, 1)
    ask_quote(session, 1, 1)

    escalate(session, selling(sales=sales(team=(), routes=ROUTES[:1])))

    assert handed(session) == [(1, "hand-raise", "Hélène")]


@pytest.mark.parametrize(
    ("team", "reason"),
    [
        ((replace(SOFIA, away=away("2026-03-01", "2026-03-23")),), "away"),
        ((replace(SOFIA, per_day=0),), "at_limit"),
        ((replace(SOFIA, languages=("en",)),), "language"),
        ((MARC,), "segment"),
    ],
)
def test_the_decision_keeps_why_a_route_gave_nobody(
    session: Session, team: tuple[Salesperson, ...], reason: str
) -> None:
    add_lead(session, 1, language="fr", state={"segment_main": "professional-firms"})
    ask_quote(session, 1, 1)

    escalate(session, selling(sales=sales(team=team)))

    detail = session.scalars(select(decision.c.detail)).one()
    assert detail["skipped"]["knows-the-segment"] == reason
    assert detail["skipped"]["known-company"] == "no_owner"


def test_yesterdays_hand_overs_do_not_count_today_but_open_ones_do(session: Session) -> None:
    marc = replace(MARC, per_day=1, open=2)
    yesterday = NIGHT - timedelta(days=1)
    for lead_id in (1, 2):
        add_lead(session, lead_id, state={"segment_main": "manufacturers"})
        ask_quote(session, lead_id, lead_id)
    add_lead(session, 3)
    session.execute(
        insert(escalation), {"lead_id": 3, "rep": "Marc", "opened_at": yesterday} | _SHARED | {"state": "accepted"}
    )

    escalate(session, selling(sales=sales(team=(marc,))))

    assert [rep for _, _, rep in handed(session)] == ["Marc", "Marc", "Hélène"]


def test_an_unrouted_hand_over_of_somebody_else_is_not_taken_back(session: Session) -> None:
    add_lead(session, 1)
    ask_quote(session, 1, 1)
    escalate(session)
    session.execute(update(escalation).values(rep="Inès"))

    escalate(session)

    assert handed(session) == [(1, "hand-raise", "Inès")]

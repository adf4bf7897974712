"""Gives each new hand-over to one salesperson: route by route, pool by pool, the one who waited longest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Insert,
    Integer,
    Subquery,
    Update,
    and_,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import Word, insert_missing, least
from leadflow.models import account, assignment, escalation, lead, lead_score, lead_state
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Playbook, Route, Salesperson
from leadflow.types import Scope, micros

#: More hand-overs than any team can be given in a day.
_NO_LIMIT = 2**31
#: A hand-over that was opened and has nobody yet; it never outlives the transaction that opened it.
UNROUTED = escalation.c.rep == ""

#: A key the route does not ask for.
ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Salespeople who share leads: those whom `whose` selects."""

    reps: tuple[Salesperson, ...]
    whose: ColumnElement[bool]


def route_handovers(
    session: Session, playbook: Playbook, now: datetime, scope: Scope, *, without: str | None = None
) -> None:
    """Give every unrouted hand-over of `scope` to somebody other than `without`: one statement a pool.

    The first route with somebody free wins; whoever nobody is free for goes to the manager.
    """
    for statement in _routes(playbook, now, scope, without):
        session.execute(statement)
        # At once: the next pool has the room that this one leaves.
        session.execute(note_assignments(now, scope))


def _routes(playbook: Playbook, now: datetime, scope: Scope, without: str | None) -> Iterator[Update]:
    sales = playbook.sales
    team = [rep for rep in sales.team if rep.name != without and not is_away(rep, playbook, now)]
    for route in sales.routes:
        match route.to:
            case "account_owner":
                owners = [*team, *([sales.manager] if sales.manager.name != without else [])]
                yield to_owner(playbook, now, scope, route, owners)
            case "team_by":
                for pool in pools(playbook, route, team):
                    yield to_pool(playbook, now, scope, route, pool, again=without is not None)
            case _:
                yield to_manager(playbook, scope, route.name)
    if not any(route.to == "manager" for route in sales.routes):
        yield to_manager(playbook, scope, "manager")


def note_assignments(now: datetime, scope: Scope) -> Insert:
    """INSERT assignment: open hand-overs of `scope` whose salesperson is not the one last noted."""
    newest = select(assignment.c.rep).where(assignment.c.escalation_id == escalation.c.id)
    had = newest.order_by(assignment.c.at.desc()).limit(1).correlate(escalation).scalar_subquery()
    rows = select(
        escalation.c.id, literal(micros(now), BigInteger), escalation.c.rep, escalation.c.route, had.label("taken_from")
    ).where(
        escalation.c.closed_at.is_(None),
        escalation.c.alerted_at.is_(None),
        or_(escalation.c.opened_at == micros(now), had.is_not(None)),
        escalation.c.rep.not_in(["", func.coalesce(had, "")]),
        in_scope(escalation.c.lead_id, scope),
    )
    return insert_missing(assignment, ["escalation_id", "at", "rep", "route", "taken_from"], rows)


def is_away(rep: Salesperson, playbook: Playbook, now: datetime) -> bool:
    """Whether today, in office time, is one of the days `rep` is away."""
    today = now.astimezone(ZoneInfo(playbook.office.zone)).date().isoformat()
    return any(absence.start <= today <= absence.end for absence in rep.away)


def to_manager(playbook: Playbook, scope: Scope, route: str) -> Update:
    """UPDATE escalation: everybody still unrouted goes to the manager, who has no limit."""
    statement = update(escalation).where(UNROUTED, in_scope(escalation.c.lead_id, scope))
    return statement.values(rep=playbook.sales.manager.name, route=route)


def to_owner(playbook: Playbook, now: datetime, scope: Scope, route: Route, owners: Sequence[Salesperson]) -> Update:
    """UPDATE escalation: the hottest leads of each company go to its owner, as many as the owner has room for."""
    room = _room(playbook, now, owners)
    place = func.row_number().over(partition_by=account.c.owner, order_by=_heat(playbook))
    queue = (
        select(escalation.c.id, account.c.owner, place.label("place"))
        .select_from(_described().join(account, account.c.id == lead.c.account_id))
        .where(UNROUTED, in_scope(escalation.c.lead_id, scope), account.c.owner.in_([rep.name for rep in owners]))
        .subquery("queue")
    )
    fits = and_(room.c.rep == queue.c.owner, queue.c.place <= room.c.spare)
    return _assign(select(queue.c.id, room.c.rep).join(room, fits).subquery("given"), route)


def to_pool(
    playbook: Playbook, now: datetime, scope: Scope, route: Route, pool: Pool, *, again: bool = False
) -> Update:
    """UPDATE escalation: leads by heat meet the free seats of a pool, one by one, the least recent first.

    Seat k of a salesperson stands behind everybody's seat k − 1, so that joining on the number equals
    assigning one after the other. What somebody else let lie (`again`) has a turn of its own: whoever answers,
    and so is asked to step in, must not get fewer new leads for it, nor whoever is silent more.
    """
    queue = (
        select(escalation.c.id, func.row_number().over(order_by=_heat(playbook)).label("place"))
        .select_from(_described())
        .where(UNROUTED, in_scope(escalation.c.lead_id, scope), pool.whose)
        .subquery("queue")
    )
    room = _room(playbook, now, pool.reps, again=again)
    # No more seats a salesperson than there are leads to sit down.
    waiting = select(func.count()).select_from(escalation).where(UNROUTED).scalar_subquery()
    first = select(literal(1, BigInteger).label("k")).cte("seat_number", recursive=True)
    numbers = first.union_all(select(first.c.k + 1).where(first.c.k < waiting))
    turn = func.row_number().over(order_by=[numbers.c.k, room.c.last_at, room.c.position])
    seats = select(room.c.rep, turn.label("place")).join(numbers, numbers.c.k <= room.c.spare).subquery("seat")
    return _assign(select(queue.c.id, seats.c.rep).join(seats, seats.c.place == queue.c.place).subquery("given"), route)


def _assign(given: Subquery, route: Route) -> Update:
    return update(escalation).where(escalation.c.id == given.c.id).values(rep=given.c.rep, route=route.name)


def _described() -> FromClause:
    return (
        escalation.join(lead, lead.c.id == escalation.c.lead_id)
        .join(lead_state, lead_state.c.lead_id == lead.c.id)
        .join(lead_score, lead_score.c.lead_id == lead.c.id)
    )


def _heat(playbook: Playbook) -> list[ColumnElement[object]]:
    """Who is served first: raised hands, then by what they do, then by who they are."""
    raised = escalation.c.rule.in_(playbook.sales.again_unless)
    return [raised.desc(), lead_score.c.engagement.desc(), lead_score.c.fit.desc(), lead.c.id]


def _room(playbook: Playbook, now: datetime, reps: Sequence[Salesperson], *, again: bool = False) -> Subquery:
    """rep, position, spare (places left today) and last_at (when last given a new one, or one `again`) of `reps`."""
    zone = ZoneInfo(playbook.office.zone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    names = [rep.name for rep in reps]
    turn = assignment.c.taken_from.is_not(None) if again else assignment.c.taken_from.is_(None)
    given = (
        select(
            assignment.c.rep,
            # What was taken away again was asked of them all the same.
            func.count().filter(assignment.c.at >= micros(midnight)).label("today"),
            func.max(assignment.c.at).filter(turn).label("last_at"),
        )
        .where(assignment.c.rep.in_(names))
        .group_by(assignment.c.rep)
        .subquery("given_to")
    )
    load = (
        select(escalation.c.rep, func.count().label("open"))
        .where(escalation.c.rep.in_(names), escalation.c.closed_at.is_(None))
        .group_by(escalation.c.rep)
        .subquery("load")
    )
    team = union_all(
        *(
            select(
                literal(rep.name, Word).label("rep"),
                literal(position, Integer).label("position"),
                literal(_limit(rep.per_day), BigInteger).label("per_day"),
                literal(_limit(rep.open), BigInteger).label("open_limit"),
            )
            for position, rep in enumerate(reps)
        )
    ).subquery("team")
    spare = least(
        team.c.per_day - func.coalesce(given.c.today, 0),
        team.c.open_limit - func.coalesce(load.c.open, 0),
    )
    last_at = func.coalesce(given.c.last_at, 0)
    return (
        select(team.c.rep, team.c.position, spare.label("spare"), last_at.label("last_at"))
        .select_from(team.outerjoin(given, given.c.rep == team.c.rep).outerjoin(load, load.c.rep == team.c.rep))
        .subquery("room")
    )


def _limit(n: int | None) -> int:
    return _NO_LIMIT if n is None else n


def pools(playbook: Playbook, route: Route, team: Sequence[Salesperson]) -> list[Pool]:
    """The pools of a `team_by` route: each set of salespeople who can take the same leads, once, with those leads."""
    shared: dict[tuple[Salesperson, ...], list[ColumnElement[bool]]] = {}
    for segment, language, whose in keys_of(playbook, route):
        reps = tuple(rep for rep in team if can_take(rep, segment, language))
        if reps:
            shared.setdefault(reps, []).append(whose)
    return [Pool(reps=reps, whose=or_(*whose)) for reps, whose in shared.items()]


def keys_of(playbook: Playbook, route: Route) -> list[tuple[str | None, str, ColumnElement[bool]]]:
    """(segment, language, the leads of that pair) for every pair a route tells apart; NULL is no segment."""
    known = lead_state.c.segment_main.in_(playbook.segment_order)
    segments: list[tuple[str | None, ColumnElement[bool]]] = [(ANY, true())]
    if "segment" in route.by:
        segments = [(name, lead_state.c.segment_main == name) for name in playbook.segment_order]
        segments.append((None, func.coalesce(not_(known), true())))
    languages = [(ANY, true())] if "language" not in route.by else _languages(playbook)
    return [
        (segment, language, and_(in_segment, speaks))
        for segment, in_segment in segments
        for language, speaks in languages
    ]


def can_take(rep: Salesperson, segment: str | None, language: str) -> bool:
    """Whether `rep` knows the segment (or lists none) and speaks the language."""
    knows = segment == ANY or not rep.segments or segment in rep.segments
    return knows and (language == ANY or not rep.languages or language in rep.languages)


def _languages(playbook: Playbook) -> list[tuple[str, ColumnElement[bool]]]:
    """Every language somebody writes or speaks; who reads none of them is spoken to in the brand's first."""
    fallback = playbook.brand.languages[0]
    spoken = dict.fromkeys((*playbook.brand.languages, *(x for rep in playbook.sales.team for x in rep.languages)))
    own = {name: _reads(name) for name in spoken if name != fallback}
    return [(fallback, not_(or_(*own.values())) if own else true()), *own.items()]


def _reads(language: str) -> ColumnElement[bool]:
    # A region counts as its language: fr-be reads fr. '.' is the sign after '-'.
    column = lead.c.language
    region = and_(column >= f"{language}-", column < f"{language}.")
    return func.coalesce(or_(column == language, region), False)

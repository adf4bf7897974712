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
    Subquery,
    Update,
    and_,
    case,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import Word, insert_missing
from leadflow.models import account, assignment, escalation, lead, lead_score, lead_state
from leadflow.pipeline.routing_room import room
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Playbook, Route, Salesperson
from leadflow.types import Scope, micros

#: A hand-over that was opened and has nobody yet; it never outlives the transaction that opened it.
UNROUTED = escalation.c.rep == ""

#: A key the route does not ask for.
ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Salespeople who share leads: those whom `whose` selects."""

    reps: tuple[Salesperson, ...]
    whose: ColumnElement[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """One walk through the routes: whose hand-overs, as of when, and past whom."""

    playbook: Playbook
    now: datetime
    scope: Scope
    #: Who had them and let the clock run out; None for hand-overs that nobody had.
    without: str | None = None

    @property
    def waiting(self) -> ColumnElement[bool]:
        """The hand-overs of the scope that have nobody yet."""
        return and_(UNROUTED, in_scope(escalation.c.lead_id, self.scope))


def route_handovers(
    session: Session, playbook: Playbook, now: datetime, scope: Scope, *, without: str | None = None
) -> None:
    """Give every unrouted hand-over of `scope` to somebody other than `without`: two statements a pool.

    The first route with somebody free wins; whoever nobody is free for goes to the manager.
    """
    routing = Routing(playbook=playbook, now=now, scope=scope, without=without)
    for statement in _routes(routing):
        session.execute(statement)
        # At once: the next pool has the room that this one leaves.
        session.execute(take_assigned(routing))


def _routes(routing: Routing) -> Iterator[Insert]:
    sales = routing.playbook.sales
    here = [rep for rep in sales.team if not is_away(rep, routing.playbook, routing.now)]
    team = [rep for rep in here if rep.name != routing.without]
    for route in sales.routes:
        match route.to:
            case "account_owner":
                owners = [*team, *([sales.manager] if sales.manager.name != routing.without else [])]
                yield to_owner(routing, route, owners)
            case "team_by":
                for pool in pools(routing.playbook, route, team):
                    yield to_pool(routing, route, pool)
            case _:
                yield to_manager(routing, route.name)
    if not any(route.to == "manager" for route in sales.routes):
        yield to_manager(routing, "manager")


def is_away(rep: Salesperson, playbook: Playbook, now: datetime) -> bool:
    """Whether today, in office time, is one of the days `rep` is away."""
    today = now.astimezone(ZoneInfo(playbook.office.zone)).date().isoformat()
    return any(absence.start <= today <= absence.end for absence in rep.away)


def to_manager(routing: Routing, route: str) -> Insert:
    """INSERT assignment: everybody still unrouted goes to the manager, who has no limit."""
    manager = literal(routing.playbook.sales.manager.name, Word).label("rep")
    given = select(escalation.c.id, manager, literal(0, BigInteger).label("place")).where(routing.waiting)
    return _assign(routing, given.subquery("given"), route)


def to_owner(routing: Routing, route: Route, owners: Sequence[Salesperson]) -> Insert:
    """INSERT assignment: the hottest leads of each company go to its owner, as many as the owner has room for."""
    free = room(routing.playbook, routing.now, owners)
    place = func.row_number().over(partition_by=account.c.owner, order_by=_heat(routing.playbook))
    queue = (
        select(escalation.c.id, account.c.owner, place.label("place"))
        .select_from(_described().join(account, account.c.id == lead.c.account_id))
        .where(routing.waiting, account.c.owner.in_([rep.name for rep in owners]))
        .subquery("queue")
    )
    fits = and_(free.c.rep == queue.c.owner, queue.c.place <= free.c.spare)
    given = select(queue.c.id, free.c.rep, literal(0, BigInteger).label("place")).join(free, fits)
    return _assign(routing, given.subquery("given"), route.name)


def to_pool(routing: Routing, route: Route, pool: Pool) -> Insert:
    """INSERT assignment: leads by heat meet the free seats of a pool, one by one, the least recent first.

    Seat k of a salesperson stands behind everybody's seat k − 1, so that joining on the number equals
    assigning one after the other. What somebody else let lie has turns of its own: whoever answers, and so is
    asked to step in, must not get fewer new leads for it, nor whoever is silent more.
    """
    queue = (
        select(escalation.c.id, func.row_number().over(order_by=_heat(routing.playbook)).label("place"))
        .select_from(_described())
        .where(routing.waiting, pool.whose)
        .subquery("queue")
    )
    free = room(routing.playbook, routing.now, pool.reps, again=routing.without is not None)
    # No more seats a salesperson than there are leads to sit down.
    waiting = select(func.count()).select_from(escalation).where(UNROUTED).scalar_subquery()
    first = select(literal(1, BigInteger).label("k")).cte("seat_number", recursive=True)
    numbers = first.union_all(select(first.c.k + 1).where(first.c.k < waiting))
    turn = func.row_number().over(order_by=[numbers.c.k, free.c.last_at, free.c.last_turn, free.c.position])
    seats = select(free.c.rep, turn.label("place")).join(numbers, numbers.c.k <= free.c.spare).subquery("seat")
    given = select(queue.c.id, seats.c.rep, queue.c.place).join(seats, seats.c.place == queue.c.place)
    return _assign(routing, given.subquery("given"), route.name)


def _assign(routing: Routing, given: Subquery, route: str) -> Insert:
    """INSERT assignment: `given` (id, rep, place), a turn after all that this instant has given so far.

    Place 0 is no turn: whoever knows a company gets its people beside what a pool gives.
    """
    at = literal(micros(routing.now), BigInteger)
    so_far = select(func.coalesce(func.max(assignment.c.turn), 0)).where(assignment.c.at == at).scalar_subquery()
    silent = literal(routing.without, Word) if routing.without else null()
    turn = case((given.c.place == 0, 0), else_=so_far + given.c.place)
    rows = select(given.c.id, at, given.c.rep, literal(route, Word), silent, turn).where(true())
    return insert_missing(assignment, ["escalation_id", "at", "rep", "route", "taken_from", "turn"], rows)


def take_assigned(routing: Routing) -> Update:
    """UPDATE escalation: whoever was assigned one now has it."""
    # Not asked of the index of instants: PostgreSQL takes this one's for none, and would walk them all for each.
    given_now = func.coalesce(type_coerce(assignment.c.at, BigInteger), 0) == micros(routing.now)
    mine = and_(assignment.c.escalation_id == escalation.c.id, given_now)
    return update(escalation).where(routing.waiting, mine).values(rep=assignment.c.rep, route=assignment.c.route)


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

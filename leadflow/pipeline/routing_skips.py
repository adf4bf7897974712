"""Says why a route gave a hand-over to nobody."""

from datetime import datetime

from sqlalchemy import ColumnElement, case, literal, null, select, true

from leadflow.db import Word
from leadflow.models import account, escalation, lead
from leadflow.pipeline.routing import ANY, can_take, is_away, keys_of
from leadflow.playbook.model import Playbook, Route

#: Why a route gave somebody to nobody.
NO_OWNER, AWAY, AT_LIMIT, LANGUAGE, SEGMENT = "no_owner", "away", "at_limit", "language", "segment"
#: The only one it could be is who let the clock run out.
SILENT = "silent"


def skipped_routes(
    playbook: Playbook, now: datetime, *, without: str | None = None
) -> dict[str, ColumnElement[str | None]]:
    """Why each route did not give a hand-over to anybody, by route; NULL for the one that did and those after it.

    Read over escalation joined with lead and lead_state.
    """
    routes = playbook.sales.routes
    reasons: dict[str, ColumnElement[str | None]] = {}
    for i, route in enumerate(routes):
        later = [other.name for other in routes[i + 1 :]]
        if not later:
            break
        owned = route.to == "account_owner"
        why = _no_owner(playbook, now, without) if owned else _nobody(playbook, now, route, without)
        reasons[route.name] = case((escalation.c.route.in_(later), why), else_=null())
    return reasons


def _no_owner(playbook: Playbook, now: datetime, without: str | None) -> ColumnElement[str | None]:
    owner = select(account.c.owner).where(account.c.id == lead.c.account_id).scalar_subquery()
    team = [*playbook.sales.team, playbook.sales.manager]
    away = [rep.name for rep in playbook.sales.team if is_away(rep, playbook, now)]
    return case(
        (owner.is_(None), literal(NO_OWNER, Word)),
        (owner.not_in([rep.name for rep in team]), literal(NO_OWNER, Word)),
        (owner == (without or ""), literal(SILENT, Word)),
        (owner.in_(away), literal(AWAY, Word)),
        else_=literal(AT_LIMIT, Word),
    )


def _nobody(playbook: Playbook, now: datetime, route: Route, without: str | None) -> ColumnElement[str | None]:
    cases = []
    for segment, language, whose in keys_of(playbook, route):
        fit = [rep for rep in playbook.sales.team if can_take(rep, segment, language)]
        others = [rep for rep in fit if rep.name != without]
        if any(not is_away(rep, playbook, now) for rep in others):
            continue
        knows = any(can_take(rep, segment, ANY) for rep in playbook.sales.team)
        why = AWAY if others else SILENT if fit else LANGUAGE if knows else SEGMENT
        cases.append((whose, literal(why, Word)))
    return case(*cases, (true(), literal(AT_LIMIT, Word)))

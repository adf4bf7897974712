"""What an alert tells of people: their acts, their mails, and who else of their company moves or decides."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from leadflow.conditions.json import json_text
from leadflow.models import event, lead, lead_score, message
from leadflow.playbook.model import Playbook
from leadflow.types import COUNTS_AS_RECEIVED, DAY, FULL_WEIGHT, IN_FLIGHT, micros

#: How far back the acts an alert speaks of reach.
RECENT = 30 * DAY
#: Of one kind of act the newest are told with their times.
_TIMES = 3
#: The one answer to "what is your role?" that says who signs.
ROLE, DECIDES = "role", "decides"
_RECEIVED = [state for state in COUNTS_AS_RECEIVED if state not in IN_FLIGHT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something the person did, as often as it did it."""

    kind: str
    #: Of one part of the site; none where the act has no place there.
    paths: tuple[str, ...]
    times: int
    #: The newest first, three at most.
    at: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A mail the person got."""

    email: str
    clicked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody else of the same company."""

    name: str
    job_title: str | None
    band: str
    #: Did something lately.
    active: bool
    decides: bool


def acts_of(session: Session, playbook: Playbook, ids: Sequence[int], now: datetime) -> Mapping[int, list[Act]]:
    """What each person did lately, newest first; only what weighs, and only words of the playbook."""
    alike = (event.c.lead_id, event.c.kind, func.coalesce(event.c.path, ""))
    newest = [event.c.occurred_at.desc(), event.c.id.desc()]
    seen = (
        select(
            *(event.c[name] for name in ("id", "lead_id", "kind", "path", "occurred_at")),
            func.row_number().over(partition_by=alike, order_by=newest).label("place"),
            func.count().over(partition_by=alike).label("times"),
        )
        .where(event.c.lead_id.in_(ids), event.c.weight == FULL_WEIGHT)
        .where(event.c.kind.in_(sorted(playbook.vocabulary.events)))
        .where(event.c.occurred_at >= micros(now) - RECENT, event.c.occurred_at < micros(now))
        .subquery("seen")
    )
    rows = session.execute(
        select(seen).where(seen.c.place <= _TIMES).order_by(seen.c.occurred_at.desc(), seen.c.id.desc())
    )
    found: dict[int, dict[tuple[str, str | None], list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.lead_id][row.kind, row.path].append(row)
    return {lead_id: _together(acts) for lead_id, acts in found.items()}


def _together(acts: Mapping[tuple[str, str | None], Sequence[Any]]) -> list[Act]:
    """Pages below one part of the site, as one act done several times."""
    alike: dict[tuple[str, str | None], list[tuple[str | None, Sequence[Any]]]] = defaultdict(list)
    for (kind, path), some in acts.items():
        part = path and "/" + path.strip("/").partition("/")[0]
        alike[kind, part].append((path, some))
    return [
        Act(
            kind=kind,
            paths=tuple(path for path, _some in group if path),
            times=sum(some[0].times for _path, some in group),
            at=tuple(sorted((row.occurred_at for _path, some in group for row in some), reverse=True)[:_TIMES]),
        )
        for (kind, _part), group in alike.items()
    ]


def received_by(session: Session, ids: Sequence[int]) -> Mapping[int, list[Received]]:
    """The mails each person got, oldest first."""
    clicks = (
        select(event.c.message_id)
        .where(event.c.kind == "email_clicked", event.c.weight == FULL_WEIGHT, event.c.message_id.is_not(None))
        .where(event.c.lead_id.in_(ids))
        .distinct()
        .subquery("clicks")
    )
    rows = session.execute(
        select(message.c.lead_id, message.c.email, clicks.c.message_id.is_not(None).label("clicked"))
        .outerjoin(clicks, clicks.c.message_id == message.c.id)
        .where(message.c.lead_id.in_(ids), message.c.state.in_(_RECEIVED))
        .order_by(message.c.sent_at, message.c.id)
    )
    received: dict[int, list[Received]] = defaultdict(list)
    for row in rows:
        received[row.lead_id].append(Received(email=row.email, clicked=bool(row.clicked)))
    return received


def colleagues_of(session: Session, ids: Sequence[int], now: datetime) -> Mapping[int, list[Colleague]]:
    """Of each person's company the others who did something lately or decide, those who do most first."""
    rows = session.execute(_colleagues(ids, now))
    found: dict[int, list[Colleague]] = defaultdict(list)
    for row in rows:
        name = " ".join(filter(None, (row.first_name, row.last_name)))
        found[row.of].append(
            Colleague(
                name=name, job_title=row.job_title, band=row.band or "", active=bool(row.active), decides=row.decides
            )
        )
    return found


def _colleagues(ids: Sequence[int], now: datetime) -> Select[Any]:
    other = lead.alias("other")
    moving = select(event.c.lead_id).where(
        event.c.occurred_at >= micros(now) - RECENT,
        event.c.occurred_at < micros(now),
        event.c.weight > 0,
        event.c.lead_id.is_not(None),
    )
    active = other.c.id.in_(moving)
    decides = func.coalesce(json_text(other.c.attributes, ROLE) == DECIDES, False)
    return (
        select(
            lead.c.id.label("of"),
            other.c.first_name,
            other.c.last_name,
            json_text(other.c.attributes, "job_title").label("job_title"),
            lead_score.c.band,
            active.label("active"),
            decides.label("decides"),
        )
        .join(other, and_(other.c.account_id == lead.c.account_id, other.c.id != lead.c.id))
        .outerjoin(lead_score, lead_score.c.lead_id == other.c.id)
        .where(lead.c.id.in_(ids), or_(active, decides))
        .order_by(lead_score.c.engagement.desc(), other.c.id)
    )

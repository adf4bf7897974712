"""`GET /h/{token}/meeting.ics`: a hand-over as half an hour in the salesperson's calendar, with what to call by."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from leadflow.errors import LinkError
from leadflow.links import read_answer
from leadflow.models import account, escalation, event, identity, lead
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.web.answers import speaking_to
from leadflow.web.icalendar import Appointment, as_ics
from leadflow.web.state import Opened
from leadflow.windows.hours import hours_of, open_slots

router = APIRouter()

_LENGTH = timedelta(minutes=30)
#: From now to an appointment nobody has agreed on yet.
_NOTICE = timedelta(hours=1)
_LOOK_AHEAD = timedelta(days=30)


@router.api_route("/h/{token}/meeting.ics", methods=["GET", "HEAD"])
def meeting(request: Request, token: str, app: Opened) -> Response:
    """The file; 404 unless the hand-over is open and whose link it is has it."""
    try:
        escalation_id, rep, _said = read_answer(app.settings.key(), token)
    except LinkError:
        raise HTTPException(404) from None
    now = datetime.now(UTC)
    with Session(app.reader) as session:
        row = _row(session, escalation_id)
        if row is None or row.rep != rep or row.closed_at is not None:
            raise HTTPException(404)
        starts_at = _agreed(session, row, now) or free_half_hour(app.playbook, now)
    name = " ".join(filter(None, (row.first_name, row.last_name))) or f"L-{row.lead_id:04}"
    with speaking_to(request, app, rep):
        appointment = Appointment(
            uid=f"handover-{escalation_id}@{urlsplit(app.settings.public_url).hostname or 'leadflow'}",
            made_at=now,
            starts_at=starts_at,
            ends_at=starts_at + _LENGTH,
            title=" – ".join(filter(None, (_("Talk to {who}").format(who=name), row.company))),
            text="\n".join(filter(None, (row.phone, row.address, f"leadflow why L-{row.lead_id:04}"))),
            place=row.phone or "",
        )
    headers = {"Content-Disposition": f'attachment; filename="leadflow-{escalation_id}.ics"'}
    return Response(as_ics(appointment), media_type="text/calendar; charset=utf-8", headers=headers)


def free_half_hour(playbook: Playbook, now: datetime) -> datetime:
    """The first full or half hour that the office is open for, at least an hour from `now`."""
    hours = hours_of(playbook)
    soonest = _rounded_up(now.astimezone(UTC) + _NOTICE)
    # A window that opened yesterday may still be open.
    day = soonest.astimezone(hours.zone).date() - timedelta(days=1)
    for slot in open_slots(hours, day, day + _LOOK_AHEAD):
        start = max(slot.opens, soonest)
        if start + _LENGTH <= slot.closes:
            return start
    return soonest


def _rounded_up(at: datetime) -> datetime:
    since = timedelta(minutes=at.minute % 30, seconds=at.second, microseconds=at.microsecond)
    return at + (_LENGTH - since if since else since)


def _agreed(session: Session, row: Row[Any], now: datetime) -> datetime | None:
    """The instant to come that whoever booked a meeting was told (`starts_at` of the act); None for none."""
    booked = select(event.c.properties).where(event.c.lead_id == row.lead_id, event.c.kind == "meeting_booked")
    told = session.scalars(booked.order_by(event.c.occurred_at.desc(), event.c.id.desc()).limit(1)).one_or_none()
    try:
        at = datetime.fromisoformat(str((told or {}).get("starts_at", "")))
    except ValueError:
        return None
    return at if at.tzinfo is not None and at > now else None


def _row(session: Session, escalation_id: int) -> Row[Any] | None:
    query = (
        select(escalation.c.rep, escalation.c.closed_at, escalation.c.lead_id)
        .add_columns(lead.c.first_name, lead.c.last_name, lead.c.phone)
        .add_columns(account.c.name.label("company"), identity.c.value.label("address"))
        .join(lead, lead.c.id == escalation.c.lead_id)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .outerjoin(identity, identity.c.id == lead.c.address_id)
        .where(escalation.c.id == escalation_id)
    )
    return session.execute(query).one_or_none()

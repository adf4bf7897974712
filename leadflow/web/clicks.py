"""`/c/{token}`: keeps a raw hit and sends the reader on to the page stored for the link."""

from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.errors import LinkError
from leadflow.intake.ledger import standing
from leadflow.links import read_click
from leadflow.models import hit, link, message
from leadflow.types import micros
from leadflow.web.asking import known_by
from leadflow.web.state import Opened, agent_of, network_of

router = APIRouter()


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
def follow(request: Request, token: str, app: Opened) -> Response:
    """A hit says who asked and how; whether it was a person is judged later, by named rules over all hits."""
    try:
        message_id, link_id = read_click(app.settings.key(), token)
    except LinkError:
        raise HTTPException(404) from None
    now = micros(datetime.now(UTC))
    seen = {
        "message_id": message_id,
        "link_id": link_id,
        "at": now,
        "method": request.method,
        "ip": network_of(request),
        "user_agent": agent_of(request),
    }
    with Session(app.engine) as session, session.begin():
        target = session.scalar(select(link.c.url).where(link.c.id == link_id))
        if target is None:
            raise HTTPException(404)
        if not _is_private(session, message_id):
            session.execute(insert(hit).values(**seen))
        target = known_by(app, session, target, message_id, now)
    return RedirectResponse(target, status_code=302)


def _is_private(session: Session, message_id: int) -> bool:
    """Its reader does not want their clicks counted; that holds for mails sent before they said so, too."""
    reader = session.scalar(select(message.c.lead_id).where(message.c.id == message_id))
    return reader is not None and standing(session, reader).get("click_tracking") == "withdrawn"

"""`/c/{token}`: keeps a raw hit and sends the reader on to the page stored for the link."""

from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.errors import LinkError
from leadflow.links import HIDDEN, read_click
from leadflow.models import hit, link
from leadflow.types import micros
from leadflow.web.state import Opened, agent_of, network_of

router = APIRouter()

#: In which browsers, and proxies for them, say that nobody has clicked yet.
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
def follow(request: Request, token: str, app: Opened) -> Response:
    """A hit says who asked and how; whether it was a person is judged later, by named rules over all hits."""
    try:
        message_id, link_id = read_click(app.settings.key(), token)
    except LinkError:
        raise HTTPException(404) from None
    seen = {
        "message_id": message_id,
        "link_id": link_id,
        "at": micros(datetime.now(UTC)),
        "method": request.method,
        "ip": network_of(request),
        "user_agent": agent_of(request),
        "ahead": _is_ahead(request),
    }
    with Session(app.engine) as session, session.begin():
        target = session.scalar(select(link.c.url).where(link.c.id == link_id))
        if target is None:
            raise HTTPException(404)
        session.execute(insert(hit).values(**seen))
    # Whoever reads the source of a mail gets no further than whoever reads the mail.
    return RedirectResponse(app.playbook.brand.site if target == HIDDEN else target, status_code=302)


def _is_ahead(request: Request) -> bool:
    said = " ".join(request.headers.get(name, "") for name in _AHEAD).lower()
    return "prefetch" in said or "preview" in said

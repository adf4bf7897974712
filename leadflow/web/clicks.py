"""`/c/{token}`: keeps a raw hit and sends the reader on to the page stored for the link."""

from collections.abc import Collection
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.errors import LinkError
from leadflow.intake.ledger import standing
from leadflow.links import HIDDEN, read_click, sign_arrival
from leadflow.models import hit, link, message
from leadflow.types import micros
from leadflow.web.asking import known_by
from leadflow.web.origins import site_origins
from leadflow.web.state import Opened, agent_of, network_of

router = APIRouter()

#: Name of the word in the address; leadflow.js takes it out.
ARRIVAL = "lf"
#: In which browsers, and proxies for them, say that nobody has clicked yet.
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
def follow(request: Request, token: str, app: Opened) -> Response:
    """A hit says who asked and how; whether it was a person is judged later, by named rules over all hits."""
    try:
        message_id, link_id = read_click(app.settings.key(), token)
    except LinkError:
        raise HTTPException(404) from None
    now = datetime.now(UTC)
    seen = {
        "message_id": message_id,
        "link_id": link_id,
        "at": micros(now),
        "method": request.method,
        "ip": network_of(request),
        "user_agent": agent_of(request),
        "ahead": _is_ahead(request),
    }
    with Session(app.engine) as session, session.begin():
        mailed = link.outerjoin(message, message.c.id == message_id)
        led_to = select(link.c.url, message.c.address_id).select_from(mailed).where(link.c.id == link_id)
        target = session.execute(led_to).one_or_none()
        if target is None:
            raise HTTPException(404)
        if _is_private(session, message_id):
            return RedirectResponse(app.playbook.brand.site if target.url == HIDDEN else target.url, status_code=302)
        session.execute(insert(hit).values(**seen))
        if target.url == HIDDEN:
            # Whoever reads the source of a mail gets no further than whoever reads the mail.
            return RedirectResponse(app.playbook.brand.site, status_code=302)
        url = known_by(app, session, target.url, message_id, micros(now))
    if target.address_id is not None:
        url = with_word(url, sign_arrival(app.settings.key(), target.address_id, now), site_origins(app))
    return RedirectResponse(url, status_code=302)


def _is_private(session: Session, message_id: int) -> bool:
    """Its reader does not want their clicks counted; that holds for mails sent before they said so, too."""
    reader = session.scalar(select(message.c.lead_id).where(message.c.id == message_id))
    return reader is not None and standing(session, reader).get("click_tracking") == "withdrawn"


def with_word(url: str, word: str, site: Collection[str]) -> str:
    """`url` with the word that tells leadflow.js of the site whose mail led there; other sites are told nothing."""
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" not in site:
        return url
    return parts._replace(query=f"{parts.query}&{ARRIVAL}={word}" if parts.query else f"{ARRIVAL}={word}").geturl()


def _is_ahead(request: Request) -> bool:
    said = " ".join(request.headers.get(name, "") for name in _AHEAD).lower()
    return "prefetch" in said or "preview" in said

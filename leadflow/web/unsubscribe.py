"""`/u/{token}`: GET shows a page with a button, POST takes the reader out at once (RFC 8058 or the button)."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.errors import LinkError
from leadflow.intake.objections import unsubscribe
from leadflow.links import TEST_WORD, read_unsubscribe
from leadflow.models import identity, lead
from leadflow.web.bodies import KB, raw_body
from leadflow.web.pages import language_of, say
from leadflow.web.state import Opened

router = APIRouter()
#: Whatever the mailbox or the browser sends with it: read to its end, and not looked at.
_Body = Annotated[bytes, Depends(raw_body(16 * KB))]


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
def ask(request: Request, token: str, app: Opened) -> Response:
    """The page with the button; scanners that fetch every link of a mail change nothing here."""
    if token == TEST_WORD:
        return say(request, "test", language_of(request, None))
    return say(request, "ask", _language(request, app.reader, app.settings.key(), token))


@router.post("/u/{token}")
def leave(request: Request, token: str, app: Opened, _body: _Body) -> Response:
    """Suppress the address and withdraw the consent in this request; 200 also for somebody who is out already."""
    if token == TEST_WORD:
        return say(request, "test", language_of(request, None))
    language = _language(request, app.reader, app.settings.key(), token)
    with Session(app.engine) as session, session.begin():
        unsubscribe(session, app.settings.key(), token, at=datetime.now(UTC), page="/u")
    return say(request, "done", language)


def _language(request: Request, engine: object, key: str, token: str) -> str:
    try:
        identity_id, _purpose = read_unsubscribe(key, token)
    except LinkError:
        raise HTTPException(404) from None
    owner = select(lead.c.language).join(identity, identity.c.lead_id == lead.c.id)
    with Session(engine) as session:  # type: ignore[arg-type]
        spoken = session.scalar(owner.where(identity.c.id == identity_id))
    return language_of(request, spoken)

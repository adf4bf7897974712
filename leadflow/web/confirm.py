"""`/confirm/{token}`: GET shows what a reader asked for, with a button; POST does it, once."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.errors import LinkError
from leadflow.intake.confirming import Confirmed, confirm, waiting_wish
from leadflow.intake.ledger import Proof, give_what_was_asked
from leadflow.links import TEST_WORD
from leadflow.models import lead
from leadflow.text import _
from leadflow.types import Wish
from leadflow.web.bodies import KB, raw_body
from leadflow.web.pages import Words, language_of, tell
from leadflow.web.state import Opened, agent_of, network_of

router = APIRouter()
#: Whatever the browser sends with it: read to its end, and not looked at.
_Body = Annotated[bytes, Depends(raw_body(16 * KB))]

#: Before the click, and after it.
_ASK: Mapping[Wish, Callable[[], Words]] = {
    Wish.CONSENT: lambda: (
        _("Is this your address?"),
        _("One click confirms it, and we begin to write to you. Without it you hear nothing more from us."),
        _("Yes, confirm my address"),
    ),
}
_DONE: Mapping[Wish, Callable[[], Words]] = {
    Wish.CONSENT: lambda: (
        _("Thank you, your address is confirmed"),
        _("Every message from us lets you change your mind. You can close this page."),
        None,
    ),
}


def _over() -> Words:
    told = _("It works once, and for seven days. If you have used it, all is done; if not, ask again where you did.")
    return _("This link has been used, or is too old"), told, None


def _test() -> Words:
    told = _("In a mail that is sent for good it confirms what its reader asked for. Here it does nothing.")
    return _("This is the link of a test"), told, None


@router.api_route("/confirm/{token}", methods=["GET", "HEAD"])
def ask(request: Request, token: str, app: Opened) -> Response:
    """The page with the button; scanners that fetch every link of a mail confirm nothing."""
    if token == TEST_WORD:
        return tell(request, _test, language_of(request, None))
    with Session(app.engine) as session:
        try:
            row = waiting_wish(session, app.settings.key(), token, at=datetime.now(UTC))
        except LinkError:
            raise HTTPException(404) from None
        language = language_of(request, _reads(session, row.lead_id if row else None))
    if row is None:
        return tell(request, _over, language, status=410)
    return tell(request, _ASK[Wish(row.kind)], language)


@router.post("/confirm/{token}")
def act(request: Request, token: str, app: Opened, _body: _Body) -> Response:
    """Do what was asked for, in this request."""
    if token == TEST_WORD:
        return tell(request, _test, language_of(request, None))
    at = datetime.now(UTC)
    with Session(app.engine) as session, session.begin():
        try:
            done = confirm(session, app.settings.key(), token, at=at)
        except LinkError:
            raise HTTPException(404) from None
        language = language_of(request, _reads(session, done.lead_id if done else None))
        if done is None:
            return tell(request, _over, language, status=410)
        _fulfil(session, app, request, done, at)
    return tell(request, _DONE[done.wish], language)


def _fulfil(session: Session, _app: App, request: Request, done: Confirmed, at: datetime) -> None:
    proof = Proof(method="double_opt_in", ip=network_of(request), user_agent=agent_of(request))
    give_what_was_asked(session, done, at=at, proof=proof)


def _reads(session: Session, lead_id: int | None) -> str | None:
    return session.scalar(select(lead.c.language).where(lead.c.id == lead_id)) if lead_id is not None else None

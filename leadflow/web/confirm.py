"""`/confirm/{token}`: GET shows what a reader asked for, with a button; POST does it, once."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.app.person import copy_of, erase
from leadflow.errors import LinkError, LockedError
from leadflow.intake.confirming import confirm, waiting_wish
from leadflow.intake.ledger import Proof, give_what_was_asked
from leadflow.links import TEST_WORD
from leadflow.models import lead
from leadflow.playbook.model import Wish
from leadflow.text import _
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
    Wish.COPY: lambda: (
        _("A copy of your data"),
        _("The button gives you a file with all that we hold on you. The link works once."),
        _("Download my data"),
    ),
    Wish.ERASE: lambda: (
        _("Erase all we know of you?"),
        _("It takes effect at once and cannot be undone. We will not write to you again."),
        _("Erase my data"),
    ),
    Wish.KEEP: lambda: (
        _("Shall we stay in touch?"),
        _("One click, and all stays as it is. Without it we erase what we know of you."),
        _("Yes, stay in touch"),
    ),
}
_DONE: Mapping[Wish, Callable[[], Words]] = {
    Wish.CONSENT: lambda: (
        _("Thank you, your address is confirmed"),
        _("Every message from us lets you change your mind. You can close this page."),
        None,
    ),
    Wish.ERASE: lambda: (
        _("Your data is erased"),
        _("All that is left is a fingerprint of your address, so that we never write to it again."),
        None,
    ),
    Wish.KEEP: lambda: (
        _("Thank you, we stay in touch"),
        _("Every message from us lets you change your mind. You can close this page."),
        None,
    ),
}


def _over() -> Words:
    told = _("It works once, and for seven days. If you have used it, all is done; if not, ask again where you did.")
    return _("This link has been used, or is too old"), told, None


def _busy() -> Words:
    return _("Please try again in a few minutes"), _("Nothing was done yet: your link still works."), None


def _test() -> Words:
    told = _("In a mail that is sent for good it confirms what its reader asked for. Here it does nothing.")
    return _("This is the link of a test"), told, None


@router.api_route("/confirm/{token}", methods=["GET", "HEAD"])
def ask(request: Request, token: str, app: Opened) -> Response:
    """The page with the button; scanners that fetch every link of a mail confirm nothing."""
    if token == TEST_WORD:
        return tell(request, _test, language_of(request, None))
    with Session(app.reader) as session:
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
            row = waiting_wish(session, app.settings.key(), token, at=at)
        except LinkError:
            raise HTTPException(404) from None
        language = language_of(request, _reads(session, row.lead_id if row else None))
        erases = row is not None and row.kind == Wish.ERASE
        # An erasure takes its own link away; every other is used up here.
        done = None if erases else confirm(session, app.settings.key(), token, at=at)
        if done is not None and done.wish is Wish.CONSENT:
            proof = Proof(method="double_opt_in", ip=network_of(request), user_agent=agent_of(request))
            give_what_was_asked(session, done, at=at, proof=proof)
    if row is not None and erases:
        return _erase(request, app, row.lead_id, language, at)
    if done is None:
        return tell(request, _over, language, status=410)
    return (
        _file(copy_of(app, done.lead_id, at)) if done.wish is Wish.COPY else tell(request, _DONE[done.wish], language)
    )


def _erase(request: Request, app: App, lead_id: int, language: str, at: datetime) -> Response:
    try:
        erase(app, [lead_id], at)
    except LockedError:
        return tell(request, _busy, language, status=503)
    return tell(request, _DONE[Wish.ERASE], language)


def _file(copy: Mapping[str, Any]) -> Response:
    content = json.dumps(copy, ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(content, media_type="application/json", headers=headers)


def _reads(session: Session, lead_id: int | None) -> str | None:
    return session.scalar(select(lead.c.language).where(lead.c.id == lead_id)) if lead_id is not None else None

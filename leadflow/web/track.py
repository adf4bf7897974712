"""`GET /leadflow.js` and `POST /t`: the site's own pages tell what a visitor does, once the visitor has agreed."""

import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.errors import LeadflowError
from leadflow.intake.pushed import PushReader, is_deep
from leadflow.playbook.vocabulary import BUILTIN_EVENTS
from leadflow.web.allowance import allowance_of, refuse_too_many
from leadflow.web.api import store
from leadflow.web.bodies import KB, parse_json, raw_body
from leadflow.web.fresh import Fresh
from leadflow.web.origins import cross_origin, is_ours
from leadflow.web.state import network_of

router = APIRouter()

#: What a browser may tell of besides the acts a workspace declares itself: nothing a form, a mail or sales tell.
_SEEN = frozenset(("page_viewed", "content_downloaded"))
#: Who somebody is and what they agreed to is no browser's to say: forms are asked for that.
_NOT_TOLD = frozenset(("email", "external_id", "fields", "consent", "form", "id", "at", "source"))
_VISITOR = re.compile(r"[\w.-]{8,100}", re.ASCII)

_Body = Annotated[bytes, Depends(raw_body(8 * KB))]


@router.api_route("/leadflow.js", methods=["GET", "HEAD"])
def script() -> Response:
    """The script; a browser asks for it once an hour."""
    headers = {"Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(_script(), media_type="text/javascript", headers=headers)


@cache
def _script() -> bytes:
    return files("leadflow.web").joinpath("templates", "leadflow.js").read_bytes()


@router.post("/t")
def track(request: Request, app: Fresh, raw: _Body) -> Response:
    """Store one act of a visitor; 204 too, and nothing kept, for a browser that says it is not to be followed.

    429 for a network that tells more than people can do.
    """
    if not is_ours(request, app):
        raise HTTPException(403, "only pages of the site tell what visitors do")
    headers = cross_origin(request, app)
    # A whole company may sit behind one network; a page a second for minutes is a program.
    refuse_too_many(allowance_of(request, "t", burst=300, per_minute=300), network_of(request), headers)
    if "1" in (request.headers.get("sec-gpc"), request.headers.get("dnt")):
        return Response(status_code=204, headers=headers)
    told = parse_json(raw)
    now = datetime.now(UTC)
    # Told by hand or by chance in the same words, it is another act.
    body = json.dumps({**_checked(app, told), "id": secrets.token_hex(12)}, ensure_ascii=False).encode()
    try:
        PushReader.of(app.playbook).event(body, now)
    except LeadflowError as error:
        raise HTTPException(422, str(error)) from None
    with Session(app.engine) as session, session.begin():
        store(session, "event", [body], now)
    return Response(status_code=204, headers=headers)


def _checked(app: App, told: Any) -> Mapping[str, Any]:
    """An act a visitor may tell of; HTTPException for any other."""
    if not isinstance(told, dict) or is_deep(told):
        raise HTTPException(422, "an act is an object: visitor, event, path")
    visitor, event = told.get("visitor"), told.get("event")
    if not isinstance(visitor, str) or not _VISITOR.fullmatch(visitor):
        raise HTTPException(422, "visitor: an id of 8 to 100 letters and digits is missing")
    own = app.playbook.events.keys() - BUILTIN_EVENTS.keys()
    if not isinstance(event, str) or event not in _SEEN | own:
        raise HTTPException(422, "event: a page tells of page_viewed, content_downloaded and acts of your own")
    if wrong := sorted(_NOT_TOLD & told.keys()):
        raise HTTPException(422, f"{wrong[0]}: a page does not tell that")
    return told

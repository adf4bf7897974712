"""`POST /events`: acts a site or a form reports, stored as they came; an urgent one is answered at once."""

import hmac
import json
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException
from sqlalchemy import insert
from sqlalchemy.orm import Session

from leadflow.models import intake
from leadflow.types import micros
from leadflow.web.bodies import KB, parse_json, raw_body
from leadflow.web.state import FastLane, Opened

router = APIRouter()

#: Acts one POST may tell.
MOST = 500

_Body = Annotated[bytes, Depends(raw_body(256 * KB))]


def _authorised(app: Opened, authorization: Annotated[str, Header()] = "") -> None:
    token = app.settings.events_token.get_secret_value()
    scheme, _space, given = authorization.partition(" ")
    known = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    if scheme.lower() != "bearer" or not known:
        raise HTTPException(401, "a bearer token is needed", headers={"WWW-Authenticate": "Bearer"})


@router.post("/events", status_code=202, dependencies=[Depends(_authorised)])
def events(app: Opened, lane: FastLane, raw: _Body) -> dict[str, int]:
    """Store one act or a list of them: `{"event": …, "email": …, "id": …, "at": …, …}`."""
    told = parse_json(raw)
    acts = told if isinstance(told, list) else [told]
    if not acts or len(acts) > MOST or not all(map(_is_act, acts)):
        raise HTTPException(422, f"an act is an object with an event; at most {MOST} of them")
    bodies = [json.dumps(act, ensure_ascii=False).encode() for act in acts] if isinstance(told, list) else [raw]
    now = micros(datetime.now(UTC))
    with Session(app.engine) as session, session.begin():
        session.execute(insert(intake), [{"kind": "event", "received_at": now, "body": body} for body in bodies])
    lane.heed(act["event"] for act in acts)
    return {"accepted": len(acts)}


def _is_act(act: Any) -> bool:
    return isinstance(act, dict) and isinstance(act.get("event"), str) and isinstance(act.get("email", ""), str)

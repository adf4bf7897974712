"""`POST /events`: acts a site or a form reports, stored as they came; a raised hand is answered at once."""

import hmac
import json
import logging
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Header, HTTPException
from sqlalchemy import insert
from sqlalchemy.orm import Session

from leadflow.app import HAND_RAISES, App, refresh, sweep_raised
from leadflow.errors import LeadflowError
from leadflow.models import intake
from leadflow.types import micros
from leadflow.web.bodies import KB, parse_json, raw_body
from leadflow.web.state import Opened

logger = logging.getLogger("leadflow.web")
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
def events(app: Opened, raw: _Body, later: BackgroundTasks) -> dict[str, int]:
    """Store one act or a list of them: `{"event": …, "email": …, "id": …, "at": …, …}`."""
    told = parse_json(raw)
    acts = told if isinstance(told, list) else [told]
    if not acts or len(acts) > MOST or not all(map(_is_act, acts)):
        raise HTTPException(422, f"an act is an object with an event; at most {MOST} of them")
    bodies = [json.dumps(act, ensure_ascii=False).encode() for act in acts] if isinstance(told, list) else [raw]
    now = micros(datetime.now(UTC))
    with Session(app.engine) as session, session.begin():
        session.execute(insert(intake), [{"kind": "event", "received_at": now, "body": body} for body in bodies])
    if any(act["event"] in HAND_RAISES for act in acts):
        later.add_task(answer_hands, app)
    return {"accepted": len(acts)}


def answer_hands(app: App) -> None:
    """The fast lane for whoever raised a hand; when it cannot run now, upkeep does within minutes."""
    try:
        sweep_raised(refresh(app), lambda: datetime.now(UTC))
    except LeadflowError as error:
        logger.warning("a raised hand waits for upkeep: %s", type(error).__name__)
    except Exception as error:
        logger.error("the fast lane failed: %s", type(error).__name__)


def _is_act(act: Any) -> bool:
    return isinstance(act, dict) and isinstance(act.get("event"), str) and isinstance(act.get("email", ""), str)

"""`POST /v1/events`, `/v1/leads`, `/v1/deals`: what other programs know is stored before they are answered."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response
from sqlalchemy import insert
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.intake.answered import Answer, answer_of, fingerprint_of, keep_answer
from leadflow.intake.answered import Request as Asked
from leadflow.intake.api_keys import ApiScope, find_key
from leadflow.intake.pushed import PushReader, Sorted, is_deep, sort_items
from leadflow.models import intake
from leadflow.text import LANGUAGES, speaking
from leadflow.types import micros
from leadflow.web.allowance import allowance_of, refuse_too_many
from leadflow.web.bodies import KB, parse_json, raw_body
from leadflow.web.fresh import Fresh
from leadflow.web.state import FastLane, Opened, network_of

router = APIRouter(prefix="/v1")

#: Items of one request.
MOST = 1_000
LONGEST_KEY = 200

_Body = Annotated[bytes, Depends(raw_body(2048 * KB))]
_Key = Annotated[str, Header(alias="Idempotency-Key")]


def allowed(scope: ApiScope) -> Callable[..., str]:
    """A dependency: the name of the key that asks; 401 for none we know, 403 for one that may not, else 429."""

    def check(request: Request, app: Opened, authorization: Annotated[str, Header()] = "") -> str:
        scheme, _space, given = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise HTTPException(401, "an API key is needed as bearer token", headers={"WWW-Authenticate": "Bearer"})
        return caller_of(request, app, given, scope)

    return check


def caller_of(request: Request, app: App, key: str, scope: ApiScope) -> str:
    """The name of `key`, which may push `scope`, now; HTTPException otherwise."""
    with Session(app.engine) as session, session.begin():
        found = find_key(session, key, datetime.now(UTC)) if key else None
    if found is None:
        # Whoever tries keys is told to wait before the next.
        refuse_too_many(allowance_of(request, "unknown key", burst=30, per_minute=30), network_of(request))
        raise HTTPException(401, "this API key is not known", headers={"WWW-Authenticate": "Bearer"})
    name, scopes = found
    if scope not in scopes:
        raise HTTPException(403, f"this API key may not push {scope}: make one with --scope {scope}")
    if per_minute := app.settings.api_per_minute:
        refuse_too_many(allowance_of(request, "key", burst=per_minute, per_minute=per_minute), name)
    return name


_Events = Annotated[str, Depends(allowed(ApiScope.EVENTS))]
_Leads = Annotated[str, Depends(allowed(ApiScope.LEADS))]
_Deals = Annotated[str, Depends(allowed(ApiScope.DEALS))]


@router.post("/events")
def events(request: Request, app: Fresh, raw: _Body, caller: _Events, lane: FastLane, key: _Key = "") -> Response:
    """One act or a list of them: `{"event": …, "email": …, "id": …, "at": …, …}`; a raised hand is answered at once."""
    reader = PushReader.of(app.playbook)
    found, answer = _take_in(request, app, caller, raw, key, "event", reader.event)
    if found:
        lane.heed(found.kinds)
    return answer


@router.post("/leads")
def leads(request: Request, app: Fresh, raw: _Body, caller: _Leads, key: _Key = "") -> Response:
    """One person or a list of them: `{"email": …, "first_name": …, "fields": {…}, "consent": {…}}`."""
    return _take_in(request, app, caller, raw, key, "lead", PushReader.of(app.playbook).lead)[1]


@router.post("/deals")
def deals(request: Request, app: Fresh, raw: _Body, caller: _Deals, lane: FastLane, key: _Key = "") -> Response:
    """One deal or a list of them; whoever has bought gets no mail any more, from this minute on."""
    found, answer = _take_in(request, app, caller, raw, key, "deal", PushReader.of(app.playbook).deal)
    if found and found.good:
        lane.wake()
    return answer


def _take_in(
    request: Request, app: App, caller: str, raw: bytes, key: str, kind: str, read: Callable[..., Any]
) -> tuple[Sorted | None, Response]:
    """What the body holds, stored as `kind`, and the answer; None where an earlier answer is given again."""
    now = datetime.now(UTC)
    told = parse_json(raw)
    items = _items(told)
    with speaking(_language(request)):
        found = sort_items(items, read, now)
    answer = _answer_to(found)
    if not found.good:
        return found, _said(answer)
    asked = _asked(caller, key, request.url.path, raw)
    with Session(app.engine) as session, session.begin():
        earlier = answer_of(session, asked, now) if asked else None
        if earlier is not None:
            return None, _again(earlier)
        store(session, kind, found.good, now)
        if asked:
            keep_answer(session, asked, answer)
    return found, _said(answer)


def store(session: Session, kind: str, bodies: Sequence[bytes], now: datetime) -> None:
    """Keep what came for capture to take in."""
    session.execute(insert(intake), [{"kind": kind, "received_at": micros(now), "body": body} for body in bodies])


def _items(told: Any) -> list[Any]:
    items = told if isinstance(told, list) else [told]
    if not items or len(items) > MOST:
        raise HTTPException(422, f"write one object, or a list of 1 to {MOST}")
    if is_deep(items):
        raise HTTPException(400, "the body is nested too deeply")
    return items


def _asked(caller: str, key: str, door: str, raw: bytes) -> Asked | None:
    if not key:
        return None
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise HTTPException(400, f"an Idempotency-Key has at most {LONGEST_KEY} printable characters")
    return Asked(api_key=caller, key=key, fingerprint=fingerprint_of(door, raw))


def _answer_to(found: Sorted) -> Answer:
    body: dict[str, Any] = {"accepted": len(found.good), "rejected": len(found.wrong)}
    if found.wrong:
        body["errors"] = [asdict(one) for one in found.wrong]
    status = 202 if not found.wrong else 207 if found.good else 422
    return Answer(status=status, body=json.dumps(body, ensure_ascii=False).encode())


def _said(answer: Answer) -> Response:
    return Response(answer.body, status_code=answer.status, media_type="application/json")


def _again(answer: Answer) -> Response:
    if not answer.is_same:
        raise HTTPException(422, "this Idempotency-Key came with another request in the last 24 hours")
    response = _said(answer)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _language(request: Request) -> str:
    """Programs are answered in English unless they ask."""
    asked = request.headers.get("accept-language", "")[:2].lower()
    return asked if asked in LANGUAGES else "en"

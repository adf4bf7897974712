"""`POST /hooks/social/{tool}/{key}`: what a social tool tells of who engaged becomes `social_engaged`."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy.orm import Session

from leadflow.intake.api_keys import ApiScope
from leadflow.intake.pushed import PushReader, is_deep, sort_items
from leadflow.playbook.model import SocialTool
from leadflow.web.api import MOST, caller_of, store
from leadflow.web.bodies import KB, parse_json, raw_body
from leadflow.web.fresh import Fresh

router = APIRouter()
_Body = Annotated[bytes, Depends(raw_body(512 * KB))]
#: From here on a number of an instant counts milliseconds.
_MILLISECONDS = 100_000_000_000


@router.post("/hooks/social/{tool}/{key}")
def social(request: Request, app: Fresh, tool: str, key: str, raw: _Body) -> dict[str, int]:
    """200 also for what nobody can be known by: a tool that is refused would tell it again for days."""
    caller_of(request, app, key, ApiScope.SOCIAL)
    spec = app.playbook.social.get(tool)
    if spec is None:
        raise HTTPException(404, "this tool is not under social: of config/leadflow.yaml")
    told = parse_json(raw)
    if is_deep(told):
        raise HTTPException(400, "the body is nested too deeply")
    items = _at(told, spec.items)
    acts = [act for item in (items if isinstance(items, list) else [items])[:MOST] for act in _acts(spec, item)]
    now = datetime.now(UTC)
    found = sort_items(acts, PushReader.of(app.playbook).event, now)
    if found.good:
        with Session(app.engine) as session, session.begin():
            store(session, "event", found.good, now)
    return {"accepted": len(found.good), "ignored": (len(items) if isinstance(items, list) else 1) - len(found.good)}


def _acts(spec: SocialTool, item: Any) -> Iterator[Mapping[str, Any]]:
    """The act of an item; none when it does not say who."""
    who = {name: _at(item, path) for name, path in (("email", spec.email), ("external_id", spec.external_id)) if path}
    who = {name: value for name, value in who.items() if value}
    if not who:
        return
    told = _at(item, spec.id) if spec.id else None
    fingerprint = hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()
    act = {
        "event": "social_engaged",
        **who,
        "network": spec.network_is or _small(_at(item, spec.network)),
        # Two tools may count alike.
        "id": f"{spec.name}:{told or fingerprint}",
        "at": _instant(_at(item, spec.at)) if spec.at else None,
    }
    yield {name: value for name, value in act.items() if value is not None}


def _at(value: Any, path: str) -> Any:
    """What stands at `path`; None where there is nothing."""
    for name in path.split(".") if path else ():
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _small(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _instant(value: Any) -> Any:
    """An instant as acts tell it; tools also count seconds or milliseconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    seconds = value / 1000 if value >= _MILLISECONDS else value
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return str(value)

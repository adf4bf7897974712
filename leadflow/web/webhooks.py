"""`POST /hooks/sendgrid/{key}`: verified byte for byte, stored as it came, answered once that is committed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy import insert
from sqlalchemy.orm import Session

from leadflow.errors import InputError
from leadflow.intake.addresses import AddressError, read_address
from leadflow.intake.sendgrid import SIGNATURE_HEADER, TIMESTAMP_HEADER, normalise_noes, verify
from leadflow.intake.suppressions import suppress
from leadflow.links import address_hash
from leadflow.models import intake
from leadflow.ports import ProviderEvent
from leadflow.types import Suppressed, micros
from leadflow.web.bodies import KB, raw_body
from leadflow.web.hooks import SECRET
from leadflow.web.state import Opened

router = APIRouter()
_Body = Annotated[bytes, Depends(raw_body(4096 * KB))]

#: A person's own no, which no night is waited for.
_AT_ONCE = {"unsubscribed": Suppressed.UNSUBSCRIBED, "complained": Suppressed.COMPLAINED}


@router.post("/hooks/sendgrid/{key}", dependencies=[SECRET])
def sendgrid(request: Request, app: Opened, raw: _Body) -> Response:
    """204 after the commit; 403 for what no known key has signed, before anything is parsed or asked."""
    keys = [key for key in app.settings.sendgrid_webhook_keys.split(",") if key.strip()]
    now = datetime.now(UTC)
    signature = request.headers.get(SIGNATURE_HEADER, "")
    if not verify(raw, signature, request.headers.get(TIMESTAMP_HEADER, ""), keys, now=now):
        raise HTTPException(403, "the signature does not match")
    with Session(app.engine) as session, session.begin():
        session.execute(insert(intake).values(kind="sendgrid", received_at=micros(now), body=raw))
        suppress_at_once(session, app.settings.key(), _told(raw), now)
    return Response(status_code=204)


def suppress_at_once(session: Session, key: str, told: Iterable[ProviderEvent], now: datetime) -> None:
    """Suppress the addresses whose owners unsubscribed or complained; the rest of the news waits for engage."""
    rows: dict[str, dict[str, Any]] = {}
    for event in told:
        reason = _AT_ONCE.get(event.kind)
        if reason is None or event.address is None:
            continue
        try:
            hashed = address_hash(key, read_address(event.address).value)
        except AddressError:
            continue
        rows.setdefault(hashed, {"address_hash": hashed, "reason": reason, "at": micros(now), "source": "sendgrid"})
    suppress(session, rows.values())


def _told(raw: bytes) -> list[ProviderEvent]:
    try:
        return normalise_noes(raw)
    except InputError:
        # Signed, yet not what we read today: kept, for engage to say what is wrong with it.
        return []

"""`/o/{token}`: the picture of a mail; where `tracking: {opens: date}` asks for it, its day is kept, nothing else."""

from base64 import b64decode
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.errors import LinkError
from leadflow.intake.ledger import standing
from leadflow.links import read_opened
from leadflow.models import identity, opened
from leadflow.web.state import Opened

router = APIRouter()

#: One transparent point.
_POINT = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
#: Whoever took one of these back wants no trace of their reading; that holds for mails sent before they did, too.
_REFUSED = ("open_tracking", "click_tracking")


@router.api_route("/o/{token}", methods=["GET", "HEAD"])
def picture(request: Request, token: str, app: Opened) -> Response:
    """The point. Neither hour, mail, network nor program is kept, and the day before is forgotten."""
    try:
        identity_id = read_opened(app.settings.key(), token)
    except LinkError:
        raise HTTPException(404) from None
    if request.method == "GET" and app.playbook.rights.dates_opens:
        day = datetime.now(UTC).astimezone(app.office).date().isoformat()
        with Session(app.engine) as session, session.begin():
            _keep(session, identity_id, day)
    return Response(_POINT, media_type="image/gif")


def _keep(session: Session, identity_id: int, day: str) -> None:
    """UPSERT opened: of an address that somebody has who did not say no."""
    lead_id = session.scalar(select(identity.c.lead_id).where(identity.c.id == identity_id))
    if lead_id is None:
        return
    said = standing(session, lead_id)
    if any(said.get(purpose) == "withdrawn" for purpose in _REFUSED):
        return
    new = insert_into(session, opened).values(identity_id=identity_id, day=day)
    later = opened.c.day < day
    session.execute(new.on_conflict_do_update(index_elements=["identity_id"], set_={"day": day}, where=later))

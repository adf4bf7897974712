"""A person's own no: it takes effect in the request that says it, for the address and for its owner."""

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.intake.suppressions import suppress
from leadflow.links import read_unsubscribe
from leadflow.models import consent, identity, suppression
from leadflow.types import Suppressed, micros


def unsubscribe(session: Session, key: str, token: str, *, at: datetime, page: str | None = None) -> bool:
    """Take the owner of `token` out of all mails but service ones; False when they were out already.

    Raises LinkError for a token nobody signed.
    """
    identity_id, purpose = read_unsubscribe(key, token)
    owner = session.execute(
        select(identity.c.hash, identity.c.lead_id).where(identity.c.id == identity_id)
    ).one_or_none()
    if owner is None:
        return False
    known = select(suppression.c.reason).where(suppression.c.address_hash == owner.hash)
    if session.scalar(known) is not None:
        return False
    no = {"address_hash": owner.hash, "reason": Suppressed.UNSUBSCRIBED, "at": micros(at), "source": "link"}
    suppress(session, [no])
    if owner.lead_id is not None:
        session.execute(
            insert(consent).values(
                lead_id=owner.lead_id,
                identity_id=identity_id,
                purpose=purpose,
                state="withdrawn",
                at=micros(at),
                method="link",
                page=page,
            )
        )
    return True

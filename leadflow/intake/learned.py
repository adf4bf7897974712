"""Keeps what a salesperson learned of a lead: an answer to a sales question, with its source and date."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.errors import UsageError
from leadflow.intake.fields import FieldError
from leadflow.intake.people import upsert_people
from leadflow.intake.person import PersonReader
from leadflow.models import escalation, identity
from leadflow.playbook.model import Playbook
from leadflow.text import _

#: Who tells, beside the date, in the provenance of a field.
SOURCE = "sales"


def learn(
    session: Session, playbook: Playbook, now: datetime, escalation_id: int, said: Mapping[str, str], *, key: str
) -> None:
    """Write `said` (field → text) to the lead of a hand-over; UsageError for a field or value that cannot be.

    The next sweep counts the criteria again, and alerts no longer ask.
    """
    unknown = [name for name in said if name not in playbook.fields]
    if unknown:
        words = _("{field} is no declared field. One of: {names}")
        raise UsageError(words.format(field=unknown[0], names=", ".join(playbook.fields)))
    kind, value = _who(session, escalation_id)
    reader = PersonReader(fields=playbook.fields, zone=ZoneInfo(playbook.office.zone))
    try:
        person = reader.read({kind: value, **said})
    except FieldError as error:
        raise UsageError(str(error)) from None
    upsert_people(session, playbook, [person], key=key, now=now, source=SOURCE)


def _who(session: Session, escalation_id: int) -> tuple[str, str]:
    """An address or id by which the lead of a hand-over is known."""
    known = (
        select(identity.c.kind, identity.c.value)
        .join(escalation, escalation.c.lead_id == identity.c.lead_id)
        .where(escalation.c.id == escalation_id)
        .order_by((identity.c.kind == "email").desc(), (identity.c.kind == "external").desc(), identity.c.id)
    )
    found = session.execute(known.limit(1)).one_or_none()
    if found is None:
        raise UsageError(_("there is no hand-over {id}").format(id=escalation_id))
    return {"external": "external_id"}.get(found.kind, found.kind), found.value

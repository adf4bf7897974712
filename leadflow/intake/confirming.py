"""Wishes that wait for their owner's own click: the mail that asks is planned, and what a click on its link does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Row, func, insert, select, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.db import reserve_ids
from leadflow.email.catalog import Email, body_for
from leadflow.links import read_confirm
from leadflow.models import confirmation, lead, message
from leadflow.playbook.model import Playbook, Wish
from leadflow.types import DAY, MINUTE, Basis, micros

#: How long a link may be used.
LASTS = 7 * DAY
#: A mailbox that somebody else's wishes fall into: not one more within so long, nor more than so many a day.
_PAUSE, _MOST_A_DAY = 10 * MINUTE, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody with an address asked for something."""

    lead_id: int
    #: Of the address.
    identity_id: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A wish whose link was used, once and in time."""

    message_id: int
    wish: Wish
    lead_id: int
    identity_id: int
    asked_at: datetime


def ask_to_confirm(
    session: Session, playbook: Playbook, asked: Sequence[Asked], wish: Wish, *, lasts: int = LASTS
) -> int:
    """Plan the mail that asks each of `asked` to confirm their wish, once; how many were planned.

    None where the playbook names no email for it, and none to a mailbox that was asked a moment ago or often today.
    """
    email = playbook.emails.get(playbook.rights.emails.get(wish, ""))
    if email is None or not asked:
        return 0
    first = {one.identity_id: one for one in reversed(asked)}
    crowded = _crowded(session, wish, [*first.values()])
    wanted = [one for one in first.values() if one.identity_id not in crowded]
    if not wanted:
        return 0
    reads = select(lead.c.id, lead.c.language).where(lead.c.id.in_([one.lead_id for one in wanted]))
    spoken = {row.id: row.language for row in session.execute(reads)}
    ids = reserve_ids(session, message.c.id, len(wanted))
    rows = [
        _message(playbook, email, message_id, one, spoken.get(one.lead_id), lasts)
        for message_id, one in zip(ids, wanted, strict=True)
    ]
    session.execute(insert(message), rows)
    waiting = [_waiting(row, one, wish) for row, one in zip(rows, wanted, strict=True)]
    session.execute(insert(confirmation), waiting)
    return len(rows)


def _crowded(session: Session, wish: Wish, asked: Sequence[Asked]) -> set[int]:
    """The addresses that were asked a moment ago, or often enough today."""
    at = max(micros(one.at) for one in asked)
    known = confirmation.c
    said = (
        select(known.identity_id)
        .where(known.identity_id.in_([one.identity_id for one in asked]), known.kind == wish)
        .where(known.asked_at > at - DAY)
        .group_by(known.identity_id)
        .having((func.count() >= _MOST_A_DAY) | (func.max(type_coerce(known.asked_at, BigInteger)) > at - _PAUSE))
    )
    return set(session.scalars(said))


def _message(
    playbook: Playbook, email: Email, message_id: int, asked: Asked, reads: str | None, lasts: int
) -> dict[str, Any]:
    languages = playbook.brand.languages
    return {
        "id": message_id,
        "lead_id": asked.lead_id,
        "address_id": asked.identity_id,
        "email": email.name,
        "language": body_for(email, reads or "", languages) or next(iter(email.bodies)),
        "purpose": str(email.purpose),
        # Its reader asked for it a moment ago; nothing else is ever sent on that.
        "basis": Basis.LEGITIMATE_INTEREST.value,
        "counted": False,
        "version": email.version,
        "playbook": playbook.version,
        "chosen": {},
        # The instant of the wish is no sweep's: no brake counts or holds this mail.
        "planned_at": asked.at,
        "send_at": asked.at,
        "expires_at": asked.at + timedelta(microseconds=lasts),
    }


def _waiting(row: dict[str, Any], asked: Asked, wish: Wish) -> dict[str, Any]:
    return {
        "message_id": row["id"],
        "kind": str(wish),
        "lead_id": asked.lead_id,
        "identity_id": asked.identity_id,
        "asked_at": asked.at,
        "expires_at": row["expires_at"],
    }


def waiting_wish(session: Session, key: str, token: str, *, at: datetime) -> Row[Any] | None:
    """The confirmation that `token` stands for, None when it was used, is too old or erased; LinkError for no token."""
    known = confirmation.c
    still = (known.message_id == read_confirm(key, token), known.used_at.is_(None), known.expires_at > micros(at))
    return session.execute(select(confirmation).where(*still)).one_or_none()


def confirm(session: Session, key: str, token: str, *, at: datetime) -> Confirmed | None:
    """Use `token`, which works once; None when it was used, is too old or erased. LinkError for no token of ours."""
    known = confirmation.c
    still = (known.message_id == read_confirm(key, token), known.used_at.is_(None), known.expires_at > micros(at))
    used = update(confirmation).where(*still).values(used_at=micros(at)).returning(*known)
    row = session.execute(used).one_or_none()
    if row is None:
        return None
    return Confirmed(
        message_id=row.message_id,
        wish=Wish(row.kind),
        lead_id=row.lead_id,
        identity_id=row.identity_id,
        asked_at=row.asked_at,
    )

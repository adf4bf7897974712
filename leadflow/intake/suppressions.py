"""The one way onto the list of those who must not be mailed."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.db.turns import NOES, go_alone
from leadflow.models import suppression


def suppress(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add `rows` (address_hash, reason, at, source); who is on the list already stays there as they are.

    No intent is committed after the transaction that says so. Call `go_alone(session, NOES)` before anything that
    locks messages in the same transaction: intents take their turn first as well.
    """
    # One order, so that two of us about the same people do not wait for each other.
    ordered = [dict(row) for row in sorted(rows, key=lambda row: str(row["address_hash"]))]
    if ordered:
        go_alone(session, NOES)
        session.execute(insert_into(session, suppression).on_conflict_do_nothing(), ordered)

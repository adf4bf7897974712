"""Transactions that must not overlap: many of one kind go together, one of the other kind goes alone."""

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Intents of mails go together; whoever puts an address on the suppression list goes alone.
NOES = 0x6C66_6E6F


def go_together(session: Session, turn: int) -> None:
    """Until this transaction ends nobody goes alone; waits while somebody does.

    SQLite has one writer at a time as it is. On PostgreSQL a statement sees what had been committed when it began, so
    that a no which is committed while an intent is written would be heard by neither.
    """
    _take(session, "pg_advisory_xact_lock_shared", turn)


def go_alone(session: Session, turn: int) -> None:
    """Until this transaction ends nobody else goes; waits for those who go together."""
    _take(session, "pg_advisory_xact_lock", turn)


def _take(session: Session, how: str, turn: int) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT {how}(:turn)"), {"turn": turn})

"""The database's side of a fire: messages by the hundred, how they stand, what the provider's record says of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, and_, case, create_engine, func, insert, select
from sqlalchemy.pool import NullPool

from leadflow.models import enrolment, identity, lead, lead_score, lead_state, message
from tests.build import NIGHT
from tests.faults.record import Accepted

#: What the guarantee allows: lost, duplicated, stuck, denied.
NOTHING = (0, 0, 0, 0)
#: Final whatever may still be learnt; unknown is final only where nobody can be asked.
FINAL = ("accepted", "suppressed", "failed")
_BEFORE = NIGHT - timedelta(days=90)


def watching(url: str) -> Engine:
    """An engine that only looks: it takes no lock that a worker would wait for, and keeps no connection."""
    return create_engine(url, poolclass=NullPool)


def plan_messages(engine: Engine, ids: Sequence[int], *, names: Sequence[str] = ("p",)) -> None:
    """A message due now for each id, each to a person of its own; `names` begin the addresses, in turn."""
    with engine.begin() as connection:
        for table, row in _ROWS.items():
            connection.execute(insert(table), [row(one, names[one % len(names)]) for one in ids])


def add_people(engine: Engine, ids: Sequence[int]) -> None:
    """Somebody who may be mailed for each id, and no message yet."""
    with engine.begin() as connection:
        for table in (lead, identity, lead_score, lead_state):
            connection.execute(insert(table), [_ROWS[table](one, "p") for one in ids])


def _lead(one: int, _name: str) -> dict[str, Any]:
    dates = {"first_seen_at": _BEFORE, "created_at": _BEFORE, "updated_at": _BEFORE}
    plain = {"provenance": {}, "attributes": {}, "folded": {}, "basis": "consent", "language": "en"}
    return {"id": one, "address_id": one, "seed": one * 48271 % (2**31 - 1)} | plain | dates


def _identity(one: int, name: str) -> dict[str, Any]:
    return {"id": one, "lead_id": one, "kind": "email", "value": f"{name}{one}@x.example", "hash": f"h{one}"}


def _state(one: int, _name: str) -> dict[str, Any]:
    return {"lead_id": one, "stage_since": _BEFORE, "lifecycle_since": _BEFORE}


def _enrolment(one: int, _name: str) -> dict[str, Any]:
    standing = {"sequence": "s", "track": "t", "entry": 1, "entered_at": NIGHT, "completed_at": NIGHT}
    return {"id": one, "lead_id": one} | standing


def _message(one: int, _name: str) -> dict[str, Any]:
    words = {"sequence": "s", "step": "one", "email": "hello", "language": "en", "purpose": "nurture"}
    proof = {"basis": "consent", "version": "", "playbook": "0" * 64, "chosen": {}}
    times = {"planned_at": NIGHT, "send_at": NIGHT, "expires_at": NIGHT + timedelta(days=300)}
    return {"id": one, "lead_id": one, "address_id": one, "enrolment_id": one} | words | proof | times


_ROWS = {
    lead: _lead,
    identity: _identity,
    lead_score: lambda one, _name: {"lead_id": one},
    lead_state: _state,
    enrolment: _enrolment,
    message: _message,
}


def states(engine: Engine, spent: int | None = None) -> Counter[str]:
    """How many messages stand in each state; unknown ones of `spent` attempts or more count as spent."""
    known = message.c.state
    state = case((and_(known == "unknown", message.c.attempts >= spent), "spent"), else_=known) if spent else known
    stood = select(state.label("state")).subquery()
    with engine.connect() as connection:
        found = connection.execute(select(stood.c.state, func.count()).group_by(stood.c.state))
        return Counter({str(state): int(count) for state, count in found})


def in_hands(engine: Engine, pid: int) -> int:
    """How many messages a process has claimed and not let go of, where it signs its claims."""
    mine = message.c.owner.startswith(f"{pid}-"), message.c.state.in_(["claimed", "sending"])
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(message).where(*mine)) or 0


def rows(engine: Engine) -> dict[int, Any]:
    """Every message, by its id."""
    with engine.connect() as connection:
        return {row.id: row for row in connection.execute(select(message))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the database says, held against what the provider accepted."""

    planned: int
    states: Counter[str] = field(default_factory=Counter)
    #: Messages that count as accepted and never arrived.
    lost: Sequence[int] = ()
    #: Copies beyond the first.
    duplicated: Sequence[int] = ()
    #: Messages in no final state.
    stuck: Sequence[int] = ()
    #: Messages that arrived while their row says they did not leave, or names another attempt.
    denied: Sequence[int] = ()

    @property
    def faults(self) -> tuple[int, int, int, int]:
        """Lost, duplicated, stuck, denied: all nothing where the guarantee holds."""
        return len(self.lost), len(self.duplicated), len(self.stuck), len(self.denied)


def settle_account(
    engine: Engine, accepted: Iterable[Accepted], *, only: range | None = None, unknown_is_final: bool = False
) -> Account:
    """Compare, message by message and attempt by attempt."""
    known = {of: row for of, row in rows(engine).items() if only is None or of in only}
    arrived: dict[int, list[str]] = {}
    for one in accepted:
        if one.message in known:
            arrived.setdefault(one.message, []).append(one.attempt)
    final = (*FINAL, "unknown") if unknown_is_final else FINAL
    return Account(
        planned=len(known),
        states=Counter(row.state for row in known.values()),
        lost=[of for of, row in known.items() if row.state == "accepted" and of not in arrived],
        duplicated=[of for of, attempts in arrived.items() for _copy in attempts[1:]],
        stuck=[of for of, row in known.items() if row.state not in final],
        denied=[of for of, attempts in arrived.items() if _denies(known[of], attempts[0])],
    )


def _denies(row: Any, attempt: str) -> bool:
    if row.state in ("suppressed", "failed"):
        return True
    return bool(row.state == "accepted" and row.attempt_id != attempt)

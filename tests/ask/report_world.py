"""Random histories for reports: people who enter, move on, buy, get mails and are handed over, oddities included."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from leadflow.models import (
    account,
    consent,
    deal,
    enrolment,
    escalation,
    event,
    identity,
    lead,
    lead_state,
    lifecycle_change,
    message,
    stage_change,
)

NOW = datetime(2026, 3, 23, 3, 15, tzinfo=UTC)
STAGES = ("discovery", "evaluation", "decision")
SOURCES = (None, "unknown", "web", "fair", "=cmd")
EMAILS = ("welcome", "case", "offer")
REPS = ("Inès", "Marc", "Sofia")
RULES = ("hand-raise", "hot-profile")
_FIRST = datetime(2025, 11, 20, tzinfo=UTC)

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def _text(chance: random.Random) -> dict[str, Any]:
    """One of the emails; the first of them goes out in variants."""
    name = chance.choice(EMAILS)
    return {"email": name, "variant": chance.choice((None, "short")) if name == EMAILS[0] else None}


def live_at_random(session: Session, seed: int, *, people: int = 60) -> None:
    """Fill an empty database with what `seed` makes of `people` lives."""
    chance = random.Random(seed)
    rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in _TABLES}
    for n, owner in enumerate((None, "Inès", "Hélène"), start=1):
        rows["account"].append({"id": n, "key": f"k{n}", "owner": owner, "created_at": _FIRST})
    for n in range(1, people + 1):
        _person(rows, n, chance)
    for table in _TABLES:
        if rows[table.name]:
            session.execute(insert(table), rows[table.name])


#: In an order in which each refers to those before only.
_TABLES: tuple[Table, ...] = (
    account, lead, identity, lead_state, stage_change, lifecycle_change, deal, enrolment, escalation, message, event,
    consent,
)  # fmt: skip


def all_rows(session: Session) -> Rows:
    """Every row of the tables a report may read, as plain dictionaries."""
    return {table.name: [dict(row) for row in session.execute(select(table)).mappings()] for table in _TABLES}


def _when(chance: random.Random, start: datetime, days: float) -> datetime:
    return start + timedelta(seconds=chance.randrange(max(1, int(days * 86400))))


def _person(rows: dict[str, list[dict[str, Any]]], n: int, chance: random.Random) -> None:
    seen = _when(chance, _FIRST, 123) if chance.random() < 0.98 else NOW + timedelta(days=2)
    life = chance.choices(("lead", "prospect", "customer", "disqualified"), (60, 15, 15, 10))[0]
    dates = {"first_seen_at": seen, "created_at": NOW, "updated_at": NOW}
    rows["lead"].append(
        {"id": n, "seed": n, "source": chance.choice(SOURCES), "account_id": chance.choice((None, 1, 2, 3))}
        | {"address_id": n, "attributes": {}, "folded": {}, "provenance": {}}
        | dates
    )
    rows["identity"].append({"id": n, "kind": "email", "value": f"p{n}@x.example", "hash": f"h{n}", "lead_id": n})
    rows["lead_state"].append(
        {"lead_id": n, "stage": chance.choice(STAGES), "stage_since": seen, "lifecycle": life}
        | {"lifecycle_since": seen, "segment_main": chance.choice((None, "shops", "makers"))}
    )
    _stages(rows, n, seen, chance)
    _lives(rows, n, seen, life, chance)
    _mails(rows, n, seen, chance)
    _handovers(rows, n, seen, chance)


def _stages(rows: dict[str, list[dict[str, Any]]], n: int, seen: datetime, chance: random.Random) -> None:
    at, before = seen, "discovery"
    for _move in range(chance.choices((0, 1, 2, 3), (5, 3, 2, 1))[0]):
        at = _when(chance, at + timedelta(seconds=1), 40)
        after = chance.choice([*(stage for stage in STAGES if stage != before), "gone-stage"])
        rows["stage_change"].append({"lead_id": n, "at": at, "before": before, "after": after, "playbook": "p"})
        before = after


def _lives(rows: dict[str, list[dict[str, Any]]], n: int, seen: datetime, life: str, chance: random.Random) -> None:
    ways = {"prospect": ("prospect",), "customer": ("prospect", "customer"), "disqualified": ("disqualified",)}
    moves = ways.get(life, ())
    if life == "customer" and chance.random() < 0.4:
        moves = ("customer",)
    at, before = seen, "lead"
    for move in moves:
        at = _when(chance, at, 60) if chance.random() < 0.9 else seen - timedelta(days=3)
        if chance.random() < 0.1:
            at = seen + timedelta(days=100)
        recorded = {"cause": "sales", "effective_at": at, "recorded_at": NOW}
        rows["lifecycle_change"].append({"lead_id": n, "before": before, "after": move} | recorded)
        before = move
    for number in range(chance.choices((0, 1, 2), (6, 3, 1))[0] if life == "customer" or chance.random() < 0.1 else 0):
        state = chance.choices(("won", "open", "lost"), (6, 1, 1))[0]
        closed = chance.choice((None, _when(chance, seen, 80)))
        rows["deal"].append(
            {"lead_id": n, "external_id": f"d{n}-{number}", "state": state, "closed_at": closed}
            | {"amount": chance.choice((None, 100_00, 1_234_56)), "updated_at": _when(chance, seen, 80)}
        )


def _mails(rows: dict[str, list[dict[str, Any]]], n: int, seen: datetime, chance: random.Random) -> None:
    for number in range(chance.randrange(5)):
        mail_id = n * 10 + number
        sent_at = _when(chance, seen, 60)
        state = chance.choices(("accepted", "unknown", "suppressed", "planned"), (8, 1, 1, 1))[0]
        news = ("delivered", "bounced", "blocked", "unsubscribed", "complained", "deferred", None)
        rows["enrolment"].append(
            {"id": mail_id, "lead_id": n, "sequence": f"s{number}", "track": f"t{number}", "entry": 1}
            | {"entered_at": seen, "completed_at": seen}
        )
        rows["message"].append(
            {"id": mail_id, "lead_id": n, "address_id": n, "enrolment_id": mail_id, "sequence": "s", "step": "x"}
            | _text(chance)
            | {"language": "fr", "purpose": "nurture", "basis": "consent"}
            | {"state": state, "version": "", "playbook": "p", "chosen": {}, "planned_at": seen, "send_at": sent_at}
            | {"expires_at": NOW, "sent_at": sent_at if state in ("accepted", "unknown") else None, "counted": False}
            | {"delivery": chance.choices(news, (8, 1, 1, 1, 1, 1, 2))[0] if state == "accepted" else None}
        )
        for weight in (100, 100, 30, 0)[: chance.randrange(5)]:
            _act(rows, n, "email_clicked", sent_at, chance, message_id=mail_id, weight=weight)
    for _reply in range(chance.choices((0, 1, 2), (6, 2, 1))[0]):
        named = chance.choice((None, n * 10)) if any(row["id"] == n * 10 for row in rows["message"]) else None
        _act(rows, n, "email_replied", _when(chance, seen, 70), chance, message_id=named)
    if chance.random() < 0.15:
        _act(rows, n, "page_viewed", seen - timedelta(hours=5), chance, weight=chance.choice((0, 100)))
    for state in ("withdrawn", "given")[: chance.choices((0, 1, 2), (7, 2, 1))[0]]:
        rows["consent"].append(
            {"lead_id": n, "purpose": "nurture", "state": state, "at": _when(chance, seen, 70), "method": "link"}
        )


def _act(
    rows: dict[str, list[dict[str, Any]]],
    n: int,
    kind: str,
    after: datetime,
    chance: random.Random,
    *,
    message_id: int | None = None,
    weight: int = 100,
) -> None:
    at = after if kind != "email_clicked" else _when(chance, after, 3)
    rows["event"].append(
        {"id": len(rows["event"]) + 1, "month": at.year * 100 + at.month, "lead_id": n, "kind": kind}
        | {"occurred_at": at, "received_at": at, "message_id": message_id, "weight": weight, "properties": {}}
    )


def _handovers(rows: dict[str, list[dict[str, Any]]], n: int, seen: datetime, chance: random.Random) -> None:
    states = ("waiting", "accepted", "later", "rejected", "won", "lost", "lapsed")
    many = chance.choices((0, 1, 2), (5, 3, 1))[0]
    for number in range(1, many + 1):
        opened = _when(chance, seen, 50)
        # One open hand-over a person, the last.
        state = chance.choice(states) if number == many else chance.choice(("rejected", "lost", "lapsed"))
        answered = _when(chance, opened, 6) if state not in ("waiting", "lapsed") and chance.random() < 0.9 else None
        closed = _when(chance, opened, 20) if state not in ("waiting", "accepted", "later") else None
        rows["escalation"].append(
            {"lead_id": n, "number": number, "rule": chance.choice(RULES), "rep": chance.choice((*REPS, ""))}
            | {"route": "r", "band": "A1", "state": state, "opened_at": opened, "closed_at": closed, "playbook": "p"}
            | {"due_at": opened + timedelta(hours=chance.choice((1, 4, 30))), "answered_at": answered}
            | {"answer_reason": chance.choice(("no_budget", "too_late")) if state in ("rejected", "lost") else None}
            | {"amount": chance.choice((None, 500_00)) if state == "won" else None, "reminders": 0}
        )


def midnight(day: date, zone: Any) -> datetime:
    """The instant at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)

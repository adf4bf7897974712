"""A small vocabulary, and people as rows of the tables and as Python judges them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert

from leadflow.conditions.evaluate import Act, Person
from leadflow.conditions.vocabulary import EventSpec, FieldSpec, FieldType, Level, Vocabulary
from leadflow.conditions.words import fold, fold_words
from leadflow.models import account, consent, event, lead, lead_score, lead_state, membership

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)

DECLARED = {
    "job_title": FieldType.TEXT,
    "note": FieldType.TEXT,
    "employees": FieldType.INTEGER,
    "rate": FieldType.NUMBER,
    "subscribed": FieldType.BOOLEAN,
    "deadline": FieldType.DATE,
    "industry": FieldType.CHOICE,
}
_BUILTIN = {
    "first_name": (FieldType.TEXT, Level.GIVEN),
    "country": (FieldType.TEXT, Level.GIVEN),
    "company": (FieldType.TEXT, Level.GIVEN),
    "email_is_free": (FieldType.BOOLEAN, Level.GIVEN),
    "consent.newsletter": (FieldType.BOOLEAN, Level.GIVEN),
    "fit": (FieldType.INTEGER, Level.SCORED),
    "band": (FieldType.CHOICE, Level.SCORED),
    "stage": (FieldType.CHOICE, Level.STAGED),
    "qualification": (FieldType.INTEGER, Level.STAGED),
    "qualification.profile": (FieldType.CHOICE, Level.STAGED),
    "qualification.budget": (FieldType.CHOICE, Level.STAGED),
    "with_sales": (FieldType.BOOLEAN, Level.ESCALATED),
}
VOCABULARY = Vocabulary(
    fields={
        **{name: FieldSpec(name=name, type=kind) for name, kind in DECLARED.items()},
        **{
            name: FieldSpec(name=name, type=kind, builtin=True, level=level) for name, (kind, level) in _BUILTIN.items()
        },
    },
    events={
        "page_viewed": EventSpec(name="page_viewed", properties=("path", "topic"), label={"en": "viewed a page"}),
        "email_clicked": EventSpec(name="email_clicked", properties=("path", "topic")),
        "webinar_attended": EventSpec(name="webinar_attended", properties=("path", "topic")),
    },
    segments=frozenset({"shops", "makers", "circle"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One person as rows of the tables."""

    attributes: Mapping[str, Any]
    first_name: str | None = None
    country: str | None = None
    company: str | None = None
    email_is_free: bool = False
    #: States of the consent ledger, oldest first.
    consents: tuple[str, ...] = ()
    #: None: no row.
    score: tuple[int, str] | None = None
    state: Mapping[str, Any] | None = None
    segments: frozenset[str] = frozenset()
    acts: tuple[Act, ...] = ()

    def person(self, *, spent: bool) -> Person:
        """What Python judges."""
        state = self.state or {}
        bits = state.get("criteria")
        computed = {
            "first_name": self.first_name,
            "country": self.country,
            "company": self.company,
            "email_is_free": self.email_is_free,
            "consent.newsletter": self.consents[-1:] == ("given",),
            "fit": self.score and self.score[0],
            "band": self.score and self.score[1],
            "stage": state.get("stage"),
            "qualification": state.get("qualification"),
            "qualification.profile": None if bits is None else "met" if bits & 1 else "unmet",
            "qualification.budget": None if bits is None else "met" if bits & 2 else "unmet",
            "with_sales": state.get("with_sales"),
        }
        return Person(
            fields={**self.attributes, **computed},
            events=self.acts,
            segments=self.segments,
            spent_before=state.get("spent_before") if spent else None,
        )


def folded(attributes: Mapping[str, Any]) -> dict[str, str]:
    """What intake keeps beside declared text."""
    texts = {k: v for k, v in attributes.items() if DECLARED[k] is FieldType.TEXT and isinstance(v, str)}
    return {k: fold(v) for k, v in texts.items()} | {f"{k}#words": fold_words(v) for k, v in texts.items()}


def store(connection: Connection, leads: Sequence[Lead], strangers: Sequence[Act] = ()) -> None:
    """Replace everybody by `leads`, ids from 1; `strangers` are acts nobody is known to have done."""
    for table in (event, membership, consent, lead_state, lead_score, lead, account):
        connection.execute(delete(table))
    rows: dict[Any, list[dict[str, Any]]] = {
        t: [] for t in (account, lead, lead_score, lead_state, consent, membership, event)
    }
    for number, one in enumerate(leads, 1):
        _rows(number, one, rows)
    for act in strangers:
        rows[event].append(_event(len(rows[event]) + 1, None, act))
    for table, found in rows.items():
        if found:
            connection.execute(insert(table), found)


def _rows(number: int, one: Lead, rows: dict[Any, list[dict[str, Any]]]) -> None:
    if one.company is not None:
        rows[account].append({"id": number, "key": str(number), "name": one.company, "created_at": NOW})
    rows[lead].append(
        {
            "id": number,
            "seed": number,
            "account_id": None if one.company is None else number,
            "first_name": one.first_name,
            "country": one.country,
            "email_is_free": one.email_is_free,
            "attributes": dict(one.attributes),
            "folded": folded(one.attributes),
            "first_seen_at": NOW - TICK,
            "created_at": NOW - TICK,
            "updated_at": NOW - TICK,
        }
    )
    if one.score is not None:
        rows[lead_score].append({"lead_id": number, "fit": one.score[0], "band": one.score[1]})
    if one.state is not None:
        rows[lead_state].append({"lead_id": number, "stage_since": NOW, "lifecycle_since": NOW, **one.state})
    for i, state in enumerate(one.consents):
        # Two lines of one instant: the later row is the later word.
        at = NOW - timedelta(days=9 - i // 2)
        rows[consent].append({"lead_id": number, "purpose": "newsletter", "state": state, "at": at, "method": "form"})
    for name in ("shops", "makers"):
        left = None if name in one.segments else NOW
        rows[membership].append({"segment": name, "lead_id": number, "joined_at": NOW - TICK, "left_at": left})
    rows[event] += [_event(len(rows[event]) + i, number, act) for i, act in enumerate(one.acts, 1)]


def _event(id_: int, lead_id: int | None, act: Act) -> dict[str, Any]:
    return {
        "id": id_,
        "month": 202603,
        "lead_id": lead_id,
        "kind": act.kind,
        "occurred_at": act.occurred_at,
        "received_at": act.received_at,
        "path": act.path,
        "weight": act.weight,
        "properties": dict(act.properties),
    }

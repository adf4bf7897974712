"""Small playbooks and rows for tests: everything has a default, a test names only what it is about."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from leadflow.conditions.tree import FieldLeaf
from leadflow.conditions.vocabulary import EventSpec, FieldSpec, FieldType, Level, Vocabulary
from leadflow.models import event, event_inbox, event_key, identity, lead, lead_score, lead_state
from leadflow.playbook.model import (
    Base,
    Brake,
    Brand,
    Cap,
    Journey,
    LifecycleRules,
    Office,
    Playbook,
    Pressure,
    Sales,
    Salesperson,
    Schedule,
    Scoring,
    Segment,
    Sender,
    Stage,
    Window,
)
from leadflow.types import DAY, HOUR, Span, SpanKind

#: A Monday, 04:15 in Paris.
NIGHT = datetime(2026, 3, 23, 3, 15, tzinfo=UTC)

_T, _I, _B, _C = FieldType.TEXT, FieldType.INTEGER, FieldType.BOOLEAN, FieldType.CHOICE

DECLARED = {
    "job_title": FieldSpec(name="job_title", type=_T),
    "industry": FieldSpec(name="industry", type=_C, choices=("retail", "manufacturing", "professional_services")),
    "employees": FieldSpec(name="employees", type=_I),
    "project": FieldSpec(name="project", type=_C, choices=("new_site", "redesign", "seo", "none")),
    "score_hint": FieldSpec(name="score_hint", type=FieldType.NUMBER),
    "newsletter": FieldSpec(name="newsletter", type=_B),
    "deadline": FieldSpec(name="deadline", type=FieldType.DATE),
}

_GIVEN = ("first_name", "last_name", "email_domain", "language", "country", "zone", "company", "phone", "source")
_EVENTS: Mapping[str, tuple[str, ...]] = {
    "page_viewed": ("path",),
    "form_submitted": ("form",),
    "content_downloaded": ("asset",),
    "webinar_attended": ("topic",),
    "social_engaged": ("network",),
    "newsletter_joined": (),
    "email_clicked": (),
    "email_replied": (),
    "call_logged": (),
    "meeting_booked": ("starts_at",),
    "demo_requested": (),
    "quote_requested": (),
    "deal_won": (),
    "deal_lost": (),
}


def _builtin(name: str, kind: FieldType, level: Level = Level.GIVEN, choices: tuple[str, ...] = ()) -> FieldSpec:
    return FieldSpec(name=name, type=kind, level=level, choices=choices, builtin=True)


def vocabulary(segments: frozenset[str] = frozenset(), criteria: tuple[str, ...] = ()) -> Vocabulary:
    """The words of the example, declared and built in, as far as tests need them."""
    fields = [_builtin(name, _T) for name in _GIVEN]
    fields += [
        _builtin("email_is_free", _B),
        _builtin("audience", _C, choices=("b2b", "b2c")),
        _builtin("basis", _C, choices=("consent", "legitimate_interest", "customer")),
        _builtin("deal_state", _C, choices=("none", "open", "won", "lost")),
        *(_builtin(name, _I, Level.SCORED) for name in ("fit", "engagement", "velocity")),
        _builtin("band", _C, Level.SCORED, tuple(a + b for a in "ABCD" for b in "1234")),
        _builtin("stage", _C, Level.STAGED, ("discovery", "evaluation", "decision")),
        _builtin("lifecycle", _C, Level.STAGED, ("lead", "prospect", "customer", "disqualified")),
        _builtin("qualification", _I, Level.STAGED),
        *(_builtin(f"qualification.{name}", _C, Level.STAGED, ("met", "unmet")) for name in criteria),
        _builtin("segment_main", _C, Level.SEGMENTED, tuple(sorted(segments))),
        _builtin("with_sales", _B, Level.ESCALATED),
    ]
    events = {name: EventSpec(name=name, properties=properties) for name, properties in _EVENTS.items()}
    return Vocabulary(fields=DECLARED | {f.name: f for f in fields}, events=events, segments=segments)


def scoring(**parts: Any) -> Scoring:
    """No rule at all, unless given."""
    empty: dict[str, Any] = {"fit_groups": {}, "fit": (), "veto": (), "engagement_groups": {}, "engagement": ()}
    return Scoring(**empty | parts)


def journey(**parts: Any) -> Journey:
    """Three stages that only discovery can be reached in, no criterion, nobody becomes a prospect."""
    never = FieldLeaf(field="country", operator="in", value=())
    stages = (Stage(name="discovery"), Stage(name="evaluation", when=never), Stage(name="decision", when=never))
    plain: dict[str, Any] = {"stages": stages, "criteria": (), "lifecycle": LifecycleRules(prospect_when=None)}
    return Journey(**plain | parts)


def segment(name: str, when: Any) -> Segment:
    """A segment called by its name in both languages."""
    return Segment(name=name, title={"en": name, "fr": name}, when=when)


def window(start: int = 9 * 60, end: int = 17 * 60, days: tuple[int, ...] = (0, 1, 2, 3, 4), spread: int = 0) -> Window:
    """Office hours, from Monday to Friday; `start` and `end` in minutes."""
    return Window(days=days, start=start, end=end, spread=spread)


def _plain() -> dict[str, Any]:
    return {
        "version": "0" * 64,
        "files": {},
        "brand": Brand(name="Atelier", site="https://a.example", postal_address="1 rue A", languages=("fr", "en")),
        "office": Office(zone="Europe/Paris", country="FR"),
        "senders": {"fr": Sender(name="Camille", address="camille@a.example", reply_to="bonjour@a.example")},
        "fields": DECLARED,
        "segments": {},
        "never": (),
        "pressure": Pressure(
            caps=(Cap(n=1, span=48 * HOUR), Cap(n=2, span=7 * DAY), Cap(n=6, span=30 * DAY)),
            defer_at_most=Span(kind=SpanKind.BUSINESS_DAYS, amount=5),
        ),
        "window": window(),
        "brake": Brake(),
        "scoring": scoring(),
        "journey": journey(),
        "sales": Sales(team=(), manager=Salesperson(name="Hélène"), hot=(), routes=()),
        "schedule": Schedule(scheduler="none", jobs=()),
        "sequences": (),
        "emails": {},
        "base": Base(layout="", text="", strings={}),
    }


def playbook(**parts: Any) -> Playbook:
    """A minimal valid Playbook; `parts` replace whole fields of it."""
    made = _plain() | parts
    names = frozenset(made["segments"])
    criteria = tuple(c.name for c in made["journey"].criteria)
    made.setdefault("segment_order", tuple(made["segments"]))
    made.setdefault("vocabulary", vocabulary(names, criteria))
    made.setdefault("events", made["vocabulary"].events)
    return Playbook(**made)


def add_lead(session: Session, lead_id: int, *, at: datetime = NIGHT - timedelta(days=90), **columns: Any) -> int:
    """A lead with an address, a score row and a state row; `state` and `score` are dicts of columns of those."""
    state, score = columns.pop("state", {}), columns.pop("score", {})
    address = {"id": lead_id, "kind": "email", "value": f"p{lead_id}@x.example", "hash": f"h{lead_id}"}
    given = {"address_id": lead_id, "seed": lead_id * 48271 % (2**31 - 1), "attributes": {}, "folded": {}}
    dates = {"first_seen_at": at, "created_at": at, "updated_at": at}
    session.execute(insert(lead), {"id": lead_id, "provenance": {}} | given | dates | columns)
    session.execute(insert(identity), address | {"lead_id": lead_id})
    session.execute(insert(lead_score), {"lead_id": lead_id} | score)
    session.execute(insert(lead_state), {"lead_id": lead_id, "stage_since": at, "lifecycle_since": at} | state)
    return lead_id


def add_event(session: Session, event_id: int, lead_id: int, kind: str, **columns: Any) -> int:
    """An event waiting to be folded; `occurred_at` is given, `received_at` is the same unless given."""
    at = columns.pop("occurred_at", NIGHT - timedelta(days=1))
    received = columns.pop("received_at", at)
    shared = {"month": at.year * 100 + at.month, "lead_id": lead_id, "occurred_at": at, "received_at": received}
    key = {"event_id": event_id, "source": "test", "external_id": str(event_id)}
    session.execute(insert(event_key), key)
    session.execute(insert(event), {"id": event_id, "kind": kind, "properties": {}} | shared | columns)
    session.execute(insert(event_inbox), {"event_id": event_id} | shared)
    return event_id

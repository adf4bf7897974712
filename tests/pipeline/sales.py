"""A sales team, hot rules and routes like the example's, and short ways to ask who was handed to whom."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.conditions.tree import All, EventLeaf, FieldLeaf
from leadflow.models import account, assignment, escalation
from leadflow.pipeline.escalate import escalate_leads
from leadflow.playbook.model import Absence, HotRule, Playbook, Route, Sales, Salesperson
from leadflow.types import DAY, EVERYONE, HOUR, Outcome, Scope, Span, SpanKind
from tests.build import NIGHT, add_event, add_lead, playbook, segment

INES = Salesperson(name="Inès", languages=("fr", "en"), segments=("online-shops", "foreign-brands"), per_day=5, open=25)
MARC = Salesperson(name="Marc", languages=("fr",), segments=("manufacturers",), per_day=4, open=20)
SOFIA = Salesperson(name="Sofia", languages=("fr", "en"), per_day=6, open=30)
MANAGER = Salesperson(name="Hélène")

ASKED = EventLeaf(events=("quote_requested", "demo_requested", "meeting_booked"), within=24 * HOUR)
PRICES = EventLeaf(events=("page_viewed",), where={"path": ("/tarifs*",)}, at_least=2, within=7 * DAY)
HOT = (
    HotRule(name="hand-raise", when=ASKED, at="once", answer_within=Span(kind=SpanKind.BUSINESS_HOURS, amount=1)),
    HotRule(
        name="hot-profile",
        when=All((FieldLeaf(field="band", operator="in", value=("A1", "A2")), PRICES)),
        answer_within=Span(kind=SpanKind.BUSINESS_HOURS, amount=4),
    ),
    HotRule(
        name="deadline-near",
        when=FieldLeaf(field="deadline", operator="within_next", value=45 * DAY),
        answer_within=Span(kind=SpanKind.BUSINESS_DAYS, amount=1),
    ),
)
ROUTES = (
    Route(name="known-company", to="account_owner"),
    Route(name="knows-the-segment", to="team_by", by=("segment", "language")),
    Route(name="speaks-the-language", to="team_by", by=("language",)),
    Route(name="nobody-free", to="manager"),
)
SEGMENTS = ("foreign-brands", "online-shops", "manufacturers", "professional-firms")


def sales(**parts: Any) -> Sales:
    """The example's sales, `parts` replaced."""
    plain: dict[str, Any] = {
        "team": (INES, MARC, SOFIA),
        "manager": MANAGER,
        "hot": HOT,
        "routes": ROUTES,
        "again_unless": ("hand-raise",),
        "answers": {
            "reject": {"reasons": ["no_project", "not_a_fit", "too_late"]},
            "lost": {"reasons": ["price", "competitor"]},
            "won": {"ask": "amount"},
            "later": {"ask": "date"},
        },
    }
    return Sales(**plain | parts)


def selling(**parts: Any) -> Playbook:
    """A playbook that sells; `sales=` takes a Sales, other `parts` are fields of the playbook."""
    nobody = FieldLeaf(field="country", operator="in", value=())
    plain = {"sales": sales(), "segments": {name: segment(name, nobody) for name in SEGMENTS}}
    return playbook(**plain | parts)


def away(start: str, end: str) -> tuple[Absence, ...]:
    """One absence, both days included."""
    return (Absence(start=start, end=end),)


def add_account(session: Session, account_id: int, **columns: Any) -> int:
    """A company."""
    session.execute(insert(account), {"id": account_id, "key": f"c{account_id}", "created_at": NIGHT} | columns)
    return account_id


def ask_quote(session: Session, event_id: int, lead_id: int, *, ago: timedelta = timedelta(hours=2)) -> None:
    """A quote request, `ago` before the night."""
    add_event(session, event_id, lead_id, "quote_requested", occurred_at=NIGHT - ago)


def look_at_prices(session: Session, event_id: int, lead_id: int, *, times: int = 2, **columns: Any) -> None:
    """Visits to the prices page; ids count up from `event_id`."""
    for i in range(times):
        add_event(session, event_id + i, lead_id, "page_viewed", path="/tarifs", **columns)


def escalate(session: Session, made: Playbook | None = None, now: datetime = NIGHT, scope: Scope = EVERYONE) -> Outcome:
    """Run the phase."""
    return escalate_leads(session, made or selling(), now, scope)


def handed(session: Session) -> list[tuple[int, str, str]]:
    """(lead, rule, salesperson) of all hand-overs, in the order of opening."""
    rows = select(escalation.c.lead_id, escalation.c.rule, escalation.c.rep)
    ordered = rows.order_by(escalation.c.opened_at, escalation.c.lead_id)
    return [(row.lead_id, row.rule, row.rep) for row in session.execute(ordered)]


def open_handover(session: Session, lead_id: int, rep: str = "Marc", **columns: Any) -> int:
    """An open hand-over of a new lead, opened at the night's instant; its id is the lead's."""
    state = columns.pop("state_of_lead", {})
    add_lead(session, lead_id, state={"with_sales": True, "hot": 1} | state, **columns.pop("lead", {}))
    plain = {"number": 1, "rule": "hot-profile", "route": "knows-the-segment", "band": "A2", "playbook": "p"}
    dates = {"opened_at": NIGHT, "due_at": NIGHT + timedelta(hours=9), "alerted_at": NIGHT}
    row = {"id": lead_id, "lead_id": lead_id, "rep": rep} | plain | dates | columns
    session.execute(insert(escalation), row)
    given = {"escalation_id": lead_id, "at": row["opened_at"], "rep": rep, "route": row["route"]}
    session.execute(insert(assignment), given)
    return lead_id

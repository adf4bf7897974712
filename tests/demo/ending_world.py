"""A small night for the ending screen: rows written by hand, so that what the engine does tomorrow changes nothing."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from leadflow.conditions.tree import All, EventLeaf, FieldLeaf
from leadflow.conditions.vocabulary import EventSpec
from leadflow.demo.nights import Lived
from leadflow.eligibility import tonight
from leadflow.email.catalog import Email, For
from leadflow.models import (
    account,
    deal,
    enrolment,
    escalation,
    event,
    identity,
    lifecycle_change,
    message,
    stage_change,
    suppression,
    verdict,
)
from leadflow.playbook.model import HotRule, Playbook, Sales, Salesperson
from leadflow.testing.world import open_world
from leadflow.types import DAY, Span, SpanKind
from tests.build import NIGHT, add_lead, playbook, segment, vocabulary

NIGHTS = tuple(NIGHT - timedelta(days=n) for n in (2, 1, 0))
_EVE = NIGHT - timedelta(hours=9)
_NOBODY = FieldLeaf(field="country", operator="in", value=())
#: Segment, language and email of those who are mailed tonight.
_MAILED = (
    ("makers", "fr", "case-valves"),
    ("shops", "fr", "three-numbers"),
    ("shops", "en", "three-numbers"),
    ("firms", "fr", "found-by-need"),
    ("makers", "fr", "case-valves"),
)


def lived(engine: Engine) -> Lived:
    """Three nights of forty-five people, as the demo would hand them to its last screen."""
    files = _playbook()
    app = open_world(engine, files, NIGHT).app
    with Session(engine) as session, session.begin():
        _write(session)
    with Session(engine) as session:
        told = tuple(tonight(session, files, night) for night in NIGHTS)
    return Lived(app=app, seed=42, nights=NIGHTS, told=told)


def _playbook() -> Playbook:
    visits = EventLeaf(events=("page_viewed",), where={"path": ("/tarifs*",)}, at_least=2, within=7 * DAY)
    raised = EventLeaf(events=("quote_requested", "demo_requested"), at_least=1, within=DAY)
    project = FieldLeaf(field="project", operator="in", value=("redesign", "seo"))
    clock = Span(kind=SpanKind.BUSINESS_HOURS, amount=4)
    hot = (
        HotRule(name="hand-raise", when=raised, at="once", answer_within=clock),
        HotRule(name="hot-profile", when=All(items=(visits, project)), answer_within=clock),
    )
    team = tuple(Salesperson(name=name) for name in ("Inès", "Marc"))
    titles = {"makers": "Industriels", "shops": "Boutiques", "firms": "Cabinets"}
    segments = {name: segment(name, _NOBODY) for name in titles}
    for name, french in titles.items():
        segments[name] = type(segments[name])(name=name, title={"en": name.capitalize(), "fr": french}, when=_NOBODY)
    words = vocabulary(frozenset(titles))
    asked = EventSpec(name="quote_requested", label={"en": "asked for a quote", "fr": "a demandé un devis"})
    words = type(words)(fields=words.fields, events={**words.events, "quote_requested": asked}, segments=words.segments)
    return playbook(
        segments=segments,
        vocabulary=words,
        emails={one.name: one for one in _emails()},
        sales=Sales(team=team, manager=Salesperson(name="Hélène"), hot=hot, routes=()),
    )


def _emails() -> tuple[Email, ...]:
    subjects = {
        "case-valves": ("makers", "40 quote requests a month", "40 demandes de devis par mois"),
        "three-numbers": ("shops", "Three numbers, every Monday", "Trois chiffres, chaque lundi"),
        "found-by-need": ("firms", "Found by need", "Trouvé par le besoin"),
    }
    return tuple(
        Email(name=name, audience=For(segments=(of,)), subject={"en": english, "fr": french}, bodies={}, kinds={})
        for name, (of, english, french) in subjects.items()
    )


def _write(session: Session) -> None:
    session.execute(insert(account).values(id=1, key="valves.example", name="Vannes de la Loire", created_at=NIGHT))
    for n, (main, language, email) in enumerate(_MAILED, start=1):
        _lead(session, n, state={"segment_main": main, "stage": "evaluation"})
        _stage(session, n, "evaluation", days=4 + n)
        _mail(session, n, 1, email, language=language, main=main, planned_at=NIGHT)
    _waiting(session)
    _stopped(session)
    _past_mails(session)
    _sold(session)
    _handed_over(session)


def _lead(session: Session, n: int, **columns: Any) -> None:
    given: dict[str, Any] = {"basis": "consent", "source": "fair", "at": NIGHT - timedelta(days=20 + n % 5)}
    add_lead(session, n, **given | columns)


def _stage(session: Session, n: int, stage: str, *, days: int, before: str = "discovery") -> None:
    """They went to `stage` so many days after first contact."""
    at = NIGHT - timedelta(days=20 + n % 5) + timedelta(days=days)
    session.execute(insert(stage_change).values(lead_id=n, at=at, before=before, after=stage, playbook="p"))


def _enrolled(session: Session, n: int, **columns: Any) -> int:
    given = {"id": n, "lead_id": n, "sequence": "evaluation", "track": "nurture", "entry": 1}
    dates = {"entered_at": NIGHTS[0], "completed_at": NIGHTS[0]}
    session.execute(insert(enrolment), given | dates | columns)
    return n


def _waiting(session: Session) -> None:
    """Twelve whose next step is not due, three held by pressure, seven through."""
    for n in range(6, 18):
        _lead(session, n, state={"stage": "evaluation" if n < 12 else "discovery"})
        _enrolled(session, n)
        if n < 12:
            _stage(session, n, "evaluation", days=n)
    for n in range(18, 21):
        _lead(session, n)
        _enrolled(session, n)
        row = {"enrolment_id": n, "step": "proof-1", "reason": "pressure", "since": NIGHT}
        session.execute(insert(verdict).values(**row))
    for n in range(21, 28):
        _lead(session, n)
        _enrolled(session, n, state="ended", ended_at=NIGHT, end_reason="finished")


def _stopped(session: Session) -> None:
    """Four unsubscribed, one bounced, three without a basis, two disqualified."""
    for n in range(28, 33):
        _lead(session, n)
        why = "bounced" if n == 32 else "unsubscribed"
        row = {"address_hash": f"h{n}", "reason": why, "at": NIGHT, "source": "test"}
        session.execute(insert(suppression).values(**row))
    for n in range(33, 36):
        _lead(session, n, basis=None)
    for n in range(36, 38):
        _lead(session, n, state={"lifecycle": "disqualified"})


def _past_mails(session: Session) -> None:
    """Twenty mails of the nights before, one in each state and with each news at least."""
    news = ["delivered"] * 11 + ["bounced", "unsubscribed", None, None, "processed"]
    for number, word in enumerate(news):
        _mail(session, 6 + number, 2, "welcome", state="accepted", delivery=word, planned_at=NIGHTS[0])
    for number, state in enumerate(("suppressed", "suppressed", "failed", "unknown")):
        _mail(session, 22 + number, 2, "welcome", state=state, planned_at=NIGHTS[1])


def _mail(session: Session, n: int, number: int, email: str, **columns: Any) -> None:
    main, planned_at = columns.pop("main", None), columns.pop("planned_at")
    chosen = {"stage": "evaluation", "segment": main, "band": f"B{1 + n % 3}", "candidates": 2}
    given = {"id": 100 * number + n, "lead_id": n, "address_id": n, "sequence": "evaluation", "step": "proof-1"}
    words = {"language": "fr", "purpose": "nurture", "basis": "consent", "version": "", "playbook": "p"}
    dates = {"planned_at": planned_at, "send_at": planned_at, "expires_at": NIGHT + timedelta(days=5)}
    session.execute(insert(message), given | words | dates | {"email": email, "chosen": chosen} | columns)


def _sold(session: Session) -> None:
    """Three who came all the way, one of them sold to before first contact."""
    for n in range(38, 41):
        _lead(session, n, state={"lifecycle": "customer", "stage": "decision"})
        _stage(session, n, "evaluation", days=3)
        _stage(session, n, "decision", days=5 + n % 3, before="evaluation")
        for before, after, days in (("lead", "prospect", 9), ("prospect", "customer", 14 if n < 40 else -1)):
            at = NIGHT - timedelta(days=20 + n % 5) + timedelta(days=days)
            row = {"before": before, "after": after, "cause": "sales", "effective_at": at, "recorded_at": NIGHT}
            session.execute(insert(lifecycle_change).values(lead_id=n, **row))
        row = {"external_id": f"d{n}", "state": "won", "amount": 9_000_00, "updated_at": NIGHT}
        session.execute(insert(deal).values(lead_id=n, **row))


def _handed_over(session: Session) -> None:
    """Five with sales, two of them since last night; and answers of the nights before."""
    claire = {"first_name": "Claire", "last_name": "Morel", "account_id": 1, "attributes": {"project": "redesign"}}
    people: dict[int, dict[str, Any]] = {41: claire, 42: {"first_name": "Aoife", "last_name": "Byrne"}}
    for n in range(41, 46):
        _lead(session, n, state={"stage": "decision", "with_sales": True}, **people.get(n, {}))
        _stage(session, n, "evaluation", days=2)
        _stage(session, n, "decision", days=6, before="evaluation")
    session.execute(
        insert(identity), {"id": 99, "kind": "email", "value": "claire@v.example", "hash": "x", "lead_id": 41}
    )
    for number, hours in enumerate((30, 80, 20)):
        _act(session, number, 41, "page_viewed", NIGHT - timedelta(hours=hours), path="/tarifs")
    _act(session, 9, 42, "quote_requested", _EVE)
    before = NIGHTS[0], NIGHTS[0] + timedelta(hours=4)
    given = (
        (41, "hot-profile", "Marc", "waiting", NIGHT, NIGHT + timedelta(hours=8, minutes=45)),
        (42, "hand-raise", "Inès", "waiting", _EVE + timedelta(minutes=2), NIGHT + timedelta(hours=5, minutes=45)),
        (43, "decision/human", "Inès", "accepted", *before),
        (44, "hot-profile", "Marc", "waiting", *before),
        (45, "hot-profile", "Marc", "later", *before),
        (36, "hot-profile", "Marc", "rejected", *before),
        (37, "hot-profile", "Inès", "lapsed", *before),
        (38, "hand-raise", "Inès", "won", *before),
    )
    for n, rule, rep, state, opened_at, due_at in given:
        dates = {"opened_at": opened_at, "due_at": due_at}
        row = {"lead_id": n, "number": 1, "rule": rule, "rep": rep, "route": "r", "band": "A2", "state": state}
        closed = {"closed_at": None if state in ("waiting", "accepted", "later") else NIGHT, "playbook": "p"}
        session.execute(insert(escalation), row | dates | closed)


def _act(session: Session, number: int, n: int, kind: str, at: datetime, *, path: str | None = None) -> None:
    row = {"id": number + 1, "month": at.year * 100 + at.month, "lead_id": n, "kind": kind, "path": path}
    session.execute(insert(event), row | {"occurred_at": at, "received_at": at, "properties": {}})

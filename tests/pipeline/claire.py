"""Claire of the model screens, whom the night hands over, and a team that reads French or English."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from leadflow.conditions.tree import FieldLeaf
from leadflow.conditions.vocabulary import EventSpec, FieldSpec, FieldType
from leadflow.email.catalog import Email
from leadflow.models import message
from leadflow.pipeline.alert_text import Door
from leadflow.pipeline.alerts import tell_sales
from leadflow.playbook.model import Criterion, Playbook
from leadflow.playbook.vocabulary import BUILTIN_EVENTS
from leadflow.ports import Alert, HandOver
from tests.build import DECLARED, NIGHT, add_event, add_lead, journey, segment
from tests.pipeline.sales import add_account, open_handover, sales, selling

#: Monday 09:00 in Paris.
OPENING = datetime(2026, 3, 23, 8, tzinfo=UTC)
DOOR = Door(key="k" * 32, public_url="https://leads.a.example/")


class Kept:
    """Keeps alerts and hand-overs."""

    name = "kept"

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def tell(self, alert: Alert) -> None:
        self.alerts.append(alert)

    def hand_over(self, hand_over: HandOver) -> None:
        pass


def _field(name: str, kind: FieldType, en: str, fr: str, *choices: str) -> FieldSpec:
    return FieldSpec(name=name, type=kind, choices=choices, label={"en": en, "fr": fr})


FIELDS = {
    **{name: DECLARED[name] for name in ("job_title", "employees")},
    "role": _field("role", FieldType.CHOICE, "Role", "Rôle", "decides", "recommends", "uses", "unknown"),
    "project": _field("project", FieldType.CHOICE, "Project", "Projet", "new_site", "redesign"),
    "budget": _field("budget", FieldType.CHOICE, "Budget", "Budget", "5k_15k", "unknown"),
    "deadline": _field("deadline", FieldType.DATE, "Deadline", "Échéance"),
    "cms": _field("cms", FieldType.CHOICE, "Site runs on", "Outil du site", "wordpress"),
}
_TITLES = {
    "welcome": {"fr": "Bienvenue", "en": "Welcome"},
    "buyers": {"fr": "Ce que cherchent vos acheteurs", "en": "What your buyers look for"},
}


def team_of(language: str, **parts: Any) -> Playbook:
    """A playbook whose salespeople read `language` first."""
    nobody = FieldLeaf(field="country", operator="in", value=())
    opener = {
        "fr": "Bonjour {first_name}, qu’attend {company} de son site ?",
        "en": "Hello {first_name}, what does {company} expect of its site?",
    }
    title = {"fr": "Industriels", "en": "Manufacturers"}
    makers = replace(segment("manufacturers", nobody), title=title, opener=opener)
    asked = ("project", "budget", "deadline", "role")
    criteria = [Criterion(name="profile", when=nobody), *(Criterion(name=x, when=nobody, ask=x) for x in asked)]
    emails = {name: Email(name=name, subject=subject, bodies={}, kinds={}) for name, subject in _TITLES.items()}
    book = selling(
        **{"fields": FIELDS, "emails": emails, "journey": journey(criteria=tuple(criteria)), "sales": sales()} | parts
    )
    events: dict[str, EventSpec] = {name: spec for name, spec in BUILTIN_EVENTS.items() if name in book.events}
    team = tuple(replace(rep, languages=(language, *rep.languages)) for rep in book.sales.team)
    return replace(
        book,
        segments={**book.segments, "manufacturers": makers},
        vocabulary=replace(book.vocabulary, events=events),
        sales=replace(book.sales, team=team),
    )


def hand_over_claire(session: Session, **columns: Any) -> None:
    """Hand-over 1, Marc's, of which nobody was told; a colleague was on the site, too."""
    add_account(session, 5, name="Vannes de la Loire")
    person = {"first_name": "Claire", "last_name": "Morel", "account_id": 5, "phone": "+33477000000", "country": "FR"}
    known = {"job_title": "Responsable communication", "role": "recommends", "employees": 62, "project": "redesign"}
    told = {"project": {"source": "form", "on": "2026-03-09"}, "phone": {"source": "form"}}
    grounds = {"basis": "legitimate_interest", "informed_on": "2026-03-09", "language": "fr"}
    lead = person | grounds | {"attributes": known | {"cms": "wordpress", "budget": "unknown"}, "provenance": told}
    plain: dict[str, Any] = {"alerted_at": None, "due_at": OPENING + timedelta(hours=4)}
    state = {"segment_main": "manufacturers", "criteria": 0b10011}
    open_handover(session, 1, lead=lead, state_of_lead=state, **plain | columns)
    _act(session)
    session.commit()


def _act(session: Session) -> None:
    saturday, friday = datetime(2026, 3, 21, 13, 15, tzinfo=UTC), datetime(2026, 3, 20, 9, 15, tzinfo=UTC)
    add_event(session, 1, 1, "page_viewed", path="/tarifs", occurred_at=saturday)
    add_event(session, 2, 1, "page_viewed", path="/tarifs", occurred_at=friday)
    for n in range(3):
        at = friday + timedelta(minutes=10 + n)
        add_event(session, 10 + n, 1, "page_viewed", path=f"/realisations/{n}", occurred_at=at)
    add_event(session, 20, 1, "content_downloaded", path="/livre-blanc", occurred_at=friday - timedelta(days=11))
    mail = {"lead_id": 1, "address_id": 1, "language": "fr", "purpose": "nurture", "version": "v", "playbook": "p"}
    sent = {"state": "accepted", "basis": "consent", "chosen": {}}
    for n, name in enumerate(_TITLES, start=9):
        dates = dict.fromkeys(("planned_at", "send_at", "expires_at", "sent_at"), NIGHT + timedelta(minutes=n))
        session.execute(insert(message), mail | sent | dates | {"id": n, "email": name})
    add_event(session, 30, 1, "email_clicked", message_id=10)
    add_lead(session, 2, account_id=5, attributes={"job_title": "Service achats"}, score={"band": "B3"})
    add_event(session, 40, 2, "page_viewed", path="/")


def alerts_to(engine: Engine, playbook: Playbook, now: datetime = OPENING, door: Door = DOOR) -> list[Alert]:
    """What is told at `now`."""
    kept = Kept()
    tell_sales(engine, playbook, now, channel=kept, crm=kept, door=door)
    return kept.alerts

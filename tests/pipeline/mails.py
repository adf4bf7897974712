"""Emails, messages and runs of deliver for tests; a test names only what it is about."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.email.catalog import Email
from leadflow.esp.memory import MemoryProvider
from leadflow.models import enrolment, message
from leadflow.pipeline.deliver import deliver_messages
from leadflow.playbook.model import Base, Playbook
from leadflow.types import Outcome
from tests.build import NIGHT, add_lead, playbook

LAYOUT = """<mjml lang="{{ language }}"><mj-head><mj-title>{{ subject }}</mj-title></mj-head><mj-body><mj-section>
<mj-column><mj-text>{{ content }}</mj-text><mj-text><p>{{ brand.postal_address }}</p>
<p><a href="{{ links.unsubscribe }}">{{ strings.unsubscribe }}</a></p></mj-text></mj-column></mj-section></mj-body>
</mjml>"""
TEXT = "{{ content }}\n--\n{{ strings.unsubscribe }}\n{{ links.unsubscribe }}\n{{ brand.postal_address }}\n"
BASE = Base(layout=LAYOUT, text=TEXT, strings={"unsubscribe": {"en": "Stop", "fr": "Arrêter"}})
HELLO = 'Hello{{ " " ~ lead.first_name if lead.first_name }},\n\n**[Prices]({{ links.page("pricing") }})**\n'


def email(name: str = "hello", body: str = HELLO, **parts: Any) -> Email:
    """An email in English."""
    plain: dict[str, Any] = {"subject": {"en": "Hello"}, "bodies": {"en": body}, "kinds": {"en": "md"}}
    return Email(name=name, **plain | parts)


def mail_playbook(*emails: Email, **parts: Any) -> Playbook:
    """A playbook with `emails`, or with the one called hello."""
    made = {one.name: one for one in emails or (email(),)}
    return playbook(emails=made, base=BASE, **parts)


def add_message(session: Session, message_id: int, lead_id: int | None = None, **columns: Any) -> int:
    """A message planned for tonight, to a lead of its own unless one is named, from an active enrolment."""
    if lead_id is None:
        lead_id = add_lead(session, message_id, **{"basis": "consent"} | columns.pop("lead", {}))
    standing = columns.pop("enrolment", {})
    dates = {"entered_at": NIGHT, "completed_at": NIGHT}
    enrolled = {"id": message_id, "lead_id": lead_id, "sequence": "s", "track": "t", "entry": message_id}
    session.execute(insert(enrolment), enrolled | dates | standing)
    given = {"id": message_id, "lead_id": lead_id, "address_id": lead_id, "enrolment_id": message_id, "chosen": {}}
    words = {"sequence": "s", "step": f"step-{message_id}", "email": "hello", "language": "en", "purpose": "nurture"}
    proof = {"basis": "consent", "version": "", "playbook": "0" * 64}
    times = {"planned_at": NIGHT, "send_at": NIGHT, "expires_at": NIGHT + timedelta(days=5)}
    session.execute(insert(message), given | words | proof | times | columns)
    return message_id


def deliver(engine: Engine, provider: Any = None, **changes: Any) -> Outcome:
    """One run of deliver at NIGHT, unless told otherwise."""
    arguments: dict[str, Any] = {"key": "k", "public_url": "https://mail.a.example", "now": NIGHT}
    arguments |= {"playbook": mail_playbook(), "provider": provider or MemoryProvider()} | changes
    return deliver_messages(engine, arguments.pop("playbook"), arguments.pop("now"), **arguments)


def row(engine: Engine, message_id: int) -> Any:
    """A message as it stands."""
    with Session(engine) as session:
        return session.execute(select(message).where(message.c.id == message_id)).one()

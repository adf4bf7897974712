"""A workspace on a simulated clock: people arrive and act through the real doors, nights run by themselves."""

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import Engine, Select, func, insert, select
from sqlalchemy.orm import Session

from leadflow.app import App, deliver_due, job_of, next_slot, run_escalations, sweep, sweep_one
from leadflow.ask.next_mail import Would
from leadflow.errors import UsageError
from leadflow.esp.memory import MemoryProvider
from leadflow.intake.answers import answer
from leadflow.intake.deal_rows import NewDeal, write_deals
from leadflow.intake.deal_words import DealState
from leadflow.intake.ledger import Proof
from leadflow.intake.objections import unsubscribe
from leadflow.intake.people import upsert_people
from leadflow.intake.person import PersonReader
from leadflow.intake.preferences import PAUSE, choose, preferences_of, reader_at
from leadflow.links import read_click
from leadflow.models import escalation, hit, identity, intake, lead, message, suppression
from leadflow.playbook.model import Playbook
from leadflow.ports import Outgoing, Ports
from leadflow.settings import Settings
from leadflow.testing.sales import MemorySales
from leadflow.types import IN_FLIGHT, Answer, Outcome, Suppressed, instant_of, micros

#: Somebody who may be mailed, unless a test says otherwise.
MAILABLE = {"basis": "legitimate_interest", "source": "trade fair", "informed_on": "2025-01-15"}
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/145.0"


def open_world(engine: Engine, playbook: Playbook, now: datetime) -> "World":
    """A world over an empty database at `engine`, its clock at `now`; mails and alerts stay in memory."""
    sales = MemorySales()
    settings = Settings(workspace=Path(), secret=SecretStr("of a test"), esp="memory", simulated=True)
    ports = Ports(email=MemoryProvider(), alerts=sales, crm=sales)
    return World(App(settings=settings, playbook=playbook, engine=engine, ports=ports), now)


class World:
    """People by name, and a clock that only goes forward."""

    def __init__(self, app: App, now: datetime) -> None:
        self.app, self.now = app, now
        #: What is due leaves at the next multiple of this.
        self.delivers_every = timedelta(minutes=5)
        #: At these hours of the office's working days the clocks of hand-overs run.
        self.clock_hours: Container[int] = range(8, 19)
        #: Name → lead id.
        self.people: dict[str, int] = {}
        #: The last sweep's instant and what it did.
        self.swept: datetime | None = None
        self.outcomes: tuple[Outcome, ...] = ()
        #: What `why` found that would leave next, by person and instant.
        self.tried: dict[tuple[str, datetime], Would] = {}
        self._told = 0
        #: Address → what the provider answers to mails that go there.
        self._failing: dict[str, Exception] = {}
        #: What was due until then has left.
        self._delivered = now

    @property
    def office(self) -> ZoneInfo:
        """The zone in which bare times are read."""
        return self.app.office

    @property
    def sent(self) -> list[Outgoing]:
        """Every mail that left, oldest first."""
        provider = self.app.ports.email
        return provider.sent if isinstance(provider, MemoryProvider) else []

    @property
    def sales(self) -> MemorySales:
        """What salespeople were told."""
        assert isinstance(self.app.ports.alerts, MemorySales)  # noqa: S101 - open_world binds it
        return self.app.ports.alerts

    # The machine

    def live_until(self, instant: datetime) -> None:
        """Every night and every mail that comes due up to and including `instant`, each at its own time."""
        while (moment := self._next_moment(instant)) is not None:
            self.now, happens = moment
            happens()
        self.now = instant

    def sweep(self) -> tuple[Outcome, ...]:
        """All phases, now."""
        self.swept, self._delivered, self.outcomes = self.now, self.now, sweep(self.app, self.now)
        return self.outcomes

    def sweep_one(self, name: str) -> tuple[Outcome, ...]:
        """The fast lane: all phases now, for one person."""
        self.swept, self.outcomes = self.now, sweep_one(self.app, self.address(name), self.now)
        return self.outcomes

    def deliver(self) -> Outcome:
        """What is due now leaves."""
        self._delivered = self.now
        return deliver_due(self.app, self.now)

    def escalate(self) -> None:
        """The clocks of hand-overs run, and who waits for word of one gets it."""
        run_escalations(self.app, self.now)

    def _next_moment(self, until: datetime) -> tuple[datetime, Callable[[], object]] | None:
        night = next_slot(job_of(self.app, "nightly"), self.office, self.now)
        with Session(self.app.engine) as session:
            due = session.scalar(_next_due(self._delivered))
            told = session.scalar(select(escalation.c.id).where(escalation.c.closed_at.is_(None)).limit(1))
        # A night plans first: what leaves at the same instant leaves after it.
        moments: list[tuple[datetime, Callable[[], object]]] = [(night.at, self.sweep)] if night else []
        moments += [(self._next_clock(), self.escalate)] if told else []
        moments += [(_slot_after(due, self.delivers_every), self.deliver)] if due else []
        first = min(moments, key=lambda moment: moment[0], default=None)
        return first if first and first[0] <= until else None

    def _next_clock(self) -> datetime:
        """The next of the hours at which clocks run."""
        hours = (
            self.now.astimezone(self.office).replace(minute=0, second=0, microsecond=0) + timedelta(hours=n)
            for n in range(1, 100)
        )
        return next(at for at in hours if at.weekday() < 5 and at.hour in self.clock_hours)

    # People

    def address(self, name: str) -> str:
        """Where somebody is mailed, unless their fields say so: each works for a company of their own."""
        return f"{name}@{name}.example"

    def arrive(self, name: str, fields: Mapping[str, str] | None = None) -> int:
        """Somebody becomes known, mailable unless `fields` say otherwise (`basis: ""` for nothing known)."""
        given = {"email": self.address(name), **MAILABLE, **(fields or {})}
        self.people[name] = self._tell({field: text for field, text in given.items() if text})
        return self.people[name]

    def change(self, name: str, fields: Mapping[str, str]) -> None:
        """Something else is now known of somebody; an empty text takes a value away."""
        said = {field: text for field, text in fields.items() if text}
        self._tell({"email": self.address(name), **said}, {field: "-" for field, text in fields.items() if not text})

    def _tell(self, said: Mapping[str, str], nulls: Mapping[str, str] | None = None) -> int:
        reader = PersonReader(fields=self.app.playbook.fields, zone=self.office)
        person, key = reader.read(said, nulls), self.app.settings.key()
        with Session(self.app.engine) as session, session.begin():
            done = upsert_people(session, self.app.playbook, [person], key=key, now=self.now, source="import")
        return done[0].lead_id

    # What they do

    def act(self, name: str, kind: str, *, at: datetime | None = None, **details: Any) -> None:
        """Somebody does something at `at` (now), and we are told of it now: `path`, or any detail of the event."""
        self._told += 1
        body = {"event": kind, "email": self.address(name), "at": (at or self.now).isoformat(), **details}
        self._post("event", body | {"id": f"{self._told}"})

    def unsubscribe(self, name: str) -> None:
        """Somebody follows the link in the last mail they got."""
        token = urlsplit(self.last_mail(name).unsubscribe_url).path.rpartition("/")[2]
        with Session(self.app.engine) as session, session.begin():
            unsubscribe(session, self.app.settings.key(), token, at=self.now)

    def pause(self, name: str) -> None:
        """Somebody asks on the page of preferences to hear nothing for 30 days."""
        with Session(self.app.engine) as session, session.begin():
            address = select(lead.c.address_id).where(lead.c.id == self.people[name]).scalar_subquery()
            reader = reader_at(session, session.scalar(select(identity.c.id).where(identity.c.id == address)) or 0)
            if reader is None:
                raise UsageError(f"{name} has no address")
            wanted = replace(preferences_of(session, reader, self.now), paused_until=self.now + PAUSE)
            key, proof = self.app.settings.key(), Proof(method="preferences")
            choose(session, self.app.playbook, reader, wanted, now=self.now, key=key, proof=proof)

    def click(self, name: str) -> None:
        """Somebody follows the first tracked link of the last mail they got."""
        mail = self.last_mail(name)
        token = mail.text.partition("/c/")[2].split()[0].rstrip(").,>")
        message_id, link_id = read_click(self.app.settings.key(), token)
        row = {"message_id": message_id, "link_id": link_id, "at": self.now, "method": "GET", "user_agent": BROWSER}
        with Session(self.app.engine) as session, session.begin():
            session.execute(insert(hit), row)

    def provider_says(self, name: str, word: str) -> None:
        """The provider has news of the last mail somebody got: `delivered`, `bounce` (hard), `spamreport`."""
        mail = self.last_mail(name)
        news = {"email": mail.to, "timestamp": int(self.now.timestamp()), "event": word}
        news |= {"sg_event_id": f"{word}-{mail.attempt_id}", "lf_attempt": mail.attempt_id}
        if word == "bounce":
            news |= {"type": "bounce", "status": "5.1.1", "bounce_classification": "Invalid Address"}
        self._post("sendgrid", [news])

    def provider_fails(self, name: str, error: Exception) -> None:
        """From now on the provider answers mails to somebody with `error`."""
        self._failing[self.address(name)] = error

        def answer(mail: Outgoing) -> None:
            if mail.to in self._failing:
                raise self._failing[mail.to]

        if isinstance(self.app.ports.email, MemoryProvider):
            self.app.ports.email.answer = answer

    def suppress(self, name: str, word: str) -> None:
        """Somebody wrote down that an address is not to be mailed: `objected`, `invalid`."""
        mine = select(identity.c.hash).where(identity.c.kind == "email", identity.c.value == self.address(name))
        with Session(self.app.engine) as session, session.begin():
            row = {"address_hash": session.scalar(mine), "reason": Suppressed(word), "at": self.now, "source": "hand"}
            session.execute(insert(suppression), row)

    def deal(self, name: str, state: str) -> None:
        """The CRM's export says that a deal with somebody is open, won or lost, as of now."""
        closed = None if state == DealState.OPEN else self.now
        deal = NewDeal(
            key=("email", self.address(name)),
            external_id=f"deal with {name}",
            state=DealState(state),
            amount=None,
            owner=None,
            reason=None,
            closed_at=closed,
        )
        with Session(self.app.engine) as session, session.begin():
            write_deals(session, self.app.playbook, [deal], now=self.now)

    def answer(self, name: str, said: str, *, reason: str | None = None, amount: int | None = None) -> None:
        """A salesperson answers the open hand-over of somebody."""
        given = Answer(said)
        with Session(self.app.engine) as session, session.begin():
            open_one = select(escalation.c.id).where(
                escalation.c.lead_id == self.people[name], escalation.c.closed_at.is_(None)
            )
            found = session.scalar(open_one)
            if found is None:
                raise UsageError(f"{name} has no open hand-over")
            answer(session, self.app.playbook, self.now, found, given, reason=reason, amount=amount)

    def last_mail(self, name: str) -> Outgoing:
        """The last mail that left for somebody."""
        own = self._messages(name)
        found = next((mail for mail in reversed(self.sent) if mail.message_id in own), None)
        if found is None:
            raise UsageError(f"{name} has got no mail")
        return found

    def _messages(self, name: str) -> set[int]:
        with Session(self.app.engine) as session:
            return set(session.scalars(select(message.c.id).where(message.c.lead_id == self.people[name])))

    def zone_of(self, name: str) -> ZoneInfo:
        """The zone somebody lives in where it is known, else the office's."""
        with Session(self.app.engine) as session:
            own = session.scalar(select(lead.c.zone).where(lead.c.id == self.people[name]))
        return ZoneInfo(own) if own else self.office

    def _post(self, kind: str, body: object) -> None:
        row = {"kind": kind, "received_at": self.now, "body": json.dumps(body).encode()}
        with Session(self.app.engine) as session, session.begin():
            session.execute(insert(intake), row)


def _slot_after(due: datetime, every: timedelta) -> datetime:
    step = every // timedelta(microseconds=1)
    return instant_of(-(-micros(due) // step) * step)


def _next_due(after: datetime) -> Select[Any]:
    """When the next mail is due."""
    waiting = select(func.min(message.c.send_at)).where(message.c.state.in_(IN_FLIGHT))
    return waiting.where(message.c.send_at > micros(after))

"""Who is told of a hand-over, when, once, and what the alert says."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.conditions.tree import FieldLeaf
from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.errors import RetryableError
from leadflow.models import escalation, message
from leadflow.pipeline.alerts import tell_sales
from leadflow.playbook.model import Criterion
from leadflow.ports import Alert, HandOver
from tests.build import DECLARED, NIGHT, add_event, journey
from tests.pipeline.sales import MARC, add_account, open_handover, selling

#: Monday 09:00 in Paris.
OPENING = datetime(2026, 3, 23, 8, tzinfo=UTC)


class Listening:
    """Keeps alerts and hand-overs; `down` names the salespeople who cannot be reached."""

    name = "listening"

    def __init__(self, *down: str) -> None:
        self.down = down
        self.alerts: list[Alert] = []
        self.handed: list[HandOver] = []

    def tell(self, alert: Alert) -> None:
        if alert.to in self.down:
            raise RetryableError("Claire Morel could not be announced")
        self.alerts.append(alert)

    def hand_over(self, hand_over: HandOver) -> None:
        if "crm" in self.down:
            raise RetryableError("no room for Claire Morel")
        self.handed.append(hand_over)


def tell(engine: Engine, ports: Listening, now: datetime = OPENING, *, language: str = "en", **parts: Any) -> int:
    """Tell a team whose first language is `language`."""
    book = selling(**parts)
    team = tuple(replace(rep, languages=(language,)) for rep in book.sales.team)
    spoken = replace(book, sales=replace(book.sales, team=team))
    return tell_sales(engine, spoken, now, channel=ports, crm=ports)


def waiting(session: Session, lead_id: int, **columns: Any) -> None:
    """A hand-over nobody was told of."""
    open_handover(session, lead_id, **{"alerted_at": None} | columns)
    session.commit()


def test_a_raised_hand_is_told_alone_and_at_once(session: Session, engine: Engine) -> None:
    for lead_id in (1, 2):
        waiting(session, lead_id, rule="hand-raise")
    ports = Listening()

    assert tell(engine, ports, NIGHT) == 2

    assert [alert.escalation_id for alert in ports.alerts] == [1, 2]


def test_the_others_are_one_digest_a_salesperson_at_opening(session: Session, engine: Engine) -> None:
    for lead_id, rep in enumerate(("Marc", "Sofia", "Marc"), start=1):
        waiting(session, lead_id, rep=rep)
    ports = Listening()

    assert tell(engine, ports, OPENING - timedelta(seconds=1)) == 0
    assert tell(engine, ports, OPENING) == 3

    assert [(alert.to, alert.title[:12]) for alert in ports.alerts] == [
        ("Marc", "2 hand-overs"),
        ("Sofia", ports.alerts[1].title[:12]),
    ]


def test_nobody_is_told_twice(session: Session, engine: Engine) -> None:
    waiting(session, 1)
    ports = Listening()

    assert [tell(engine, ports), tell(engine, ports)] == [1, 0]

    assert session.scalar(select(escalation.c.alerted_at)) == OPENING


def test_a_channel_that_fails_is_tried_again_and_holds_nobody_else_up(
    session: Session, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    waiting(session, 1, rep="Marc")
    waiting(session, 2, rep="Sofia")

    assert tell(engine, Listening("Marc")) == 1
    assert tell(engine, Listening()) == 1

    assert "Claire" not in caplog.text
    assert "[1]" in caplog.text


def test_a_crm_that_fails_does_not_keep_the_salesperson_waiting(
    session: Session, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    waiting(session, 1)

    with caplog.at_level(logging.ERROR):
        assert tell(engine, Listening("crm")) == 1

    assert "Claire" not in caplog.text


@pytest.mark.parametrize("columns", [{"state": "later"}, {"state": "lapsed", "closed_at": NIGHT}, {"rep": ""}])
def test_only_waiting_hand_overs_are_told(session: Session, engine: Engine, columns: Mapping[str, Any]) -> None:
    waiting(session, 1, **columns)

    assert tell(engine, Listening()) == 0


def test_the_crm_gets_the_person_and_the_reason(session: Session, engine: Engine) -> None:
    waiting(session, 1, lead={"first_name": "Claire", "attributes": {"project": "redesign"}})
    ports = Listening()

    tell(engine, ports)

    (taken,) = ports.handed
    assert (taken.escalation_id, taken.rule, taken.rep) == (1, "hot-profile", "Marc")
    assert (taken.lead["first_name"], taken.lead["address"]) == ("Claire", "p1@x.example")
    assert taken.lead["attributes"] == {"project": "redesign"}


def _claire(session: Session) -> None:
    add_account(session, 5, name="Vannes de la Loire")
    person = {"first_name": "Claire", "last_name": "Morel", "account_id": 5, "phone": "+33477000000", "language": "fr"}
    known = {"attributes": {"project": "redesign"}, "provenance": {"project": {"source": "form", "on": "2026-03-09"}}}
    basis = {"basis": "legitimate_interest", "informed_on": "2026-03-09"}
    waiting(session, 1, lead=person | known | basis, due_at=OPENING + timedelta(hours=4))
    add_event(session, 1, 1, "page_viewed", path="/tarifs", occurred_at=NIGHT - timedelta(hours=12))
    add_event(session, 2, 1, "page_viewed", path="/tarifs", occurred_at=NIGHT - timedelta(hours=10))
    mail = {"lead_id": 1, "address_id": 1, "email": "welcome", "language": "fr", "purpose": "nurture", "version": "v"}
    sent = {"state": "accepted", "basis": "consent", "playbook": "p", "chosen": {}, "id": 9}
    dates = dict.fromkeys(("planned_at", "send_at", "expires_at", "sent_at"), NIGHT)
    session.execute(insert(message), mail | sent | dates)
    add_event(session, 3, 1, "email_clicked", message_id=9)
    session.commit()


def _asking() -> dict[str, Any]:
    never = FieldLeaf(field="country", operator="in", value=())
    budget = FieldSpec(name="budget", type=FieldType.TEXT, label={"en": "Budget", "fr": "Budget"})
    criteria = (
        Criterion(name="project", when=never, ask="project"),
        Criterion(name="budget", when=never, ask="budget"),
    )
    return {"journey": journey(criteria=criteria), "fields": {**DECLARED, "budget": budget}}


def test_the_alert_says_who_why_now_what_is_known_and_what_to_ask(session: Session, engine: Engine) -> None:
    _claire(session)
    ports = Listening()

    tell(engine, ports, **_asking())

    (alert,) = ports.alerts
    assert alert.title == "Claire Morel — Vannes de la Loire — A2 · answer before 23/03 13:00"
    for line in (
        "hot-profile: page viewed /tarifs, 2 times, last 22/03 18:15; email clicked, 1 time, last 22/03 04:15",
        "project: redesign (form, 2026-03-09)",
        "TO ASK: Budget?",
        "WHAT THEY RECEIVED: welcome (clicked)",
        "REACH: p1@x.example · +33477000000",
        "legitimate interest, informed on 2026-03-09",
        "leadflow handover accept 1",
    ):
        assert line in alert.body


def test_a_salesperson_reads_their_own_language(session: Session, engine: Engine) -> None:
    _claire(session)
    ports = Listening()

    tell(engine, ports, language="fr")

    (alert,) = ports.alerts
    assert alert.title == "Claire Morel — Vannes de la Loire — A2 · répondre avant 23/03 13:00"
    assert "POURQUOI MAINTENANT" in alert.body


def test_a_colleague_who_is_active_is_named_as_a_number(session: Session, engine: Engine) -> None:
    _claire(session)
    open_handover(session, 2, lead={"account_id": 5}, state="accepted")
    add_event(session, 20, 2, "page_viewed")
    session.commit()
    ports = Listening()

    tell(engine, ports)

    assert "1 other person active this month" in ports.alerts[0].body


def test_a_reminder_says_that_it_is_one(session: Session, engine: Engine) -> None:
    waiting(session, 1, reminders=1)
    ports = Listening()

    tell(engine, ports)

    assert ports.alerts[0].title.startswith("Waiting for your answer: ")


def test_somebody_who_left_the_team_is_told_through_the_manager(session: Session, engine: Engine) -> None:
    waiting(session, 1, rep="Gone")
    ports = Listening()

    tell(engine, ports)

    assert ports.alerts[0].to == "Hélène"


def test_a_person_of_whom_little_is_known_still_has_an_alert(session: Session, engine: Engine) -> None:
    waiting(session, 1, lead={"address_id": None})
    ports = Listening()

    tell(engine, ports)

    assert ports.alerts[0].title.startswith("L-0001 — A2")
    assert "no act in 30 days" in ports.alerts[0].body
    assert MARC.alert == ports.alerts[0].url

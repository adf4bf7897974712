"""Who is told of a hand-over, when, and once."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.errors import RetryableError
from leadflow.models import escalation
from leadflow.pipeline.alerts import tell_sales
from leadflow.ports import Alert, HandOver
from tests.build import NIGHT
from tests.pipeline.sales import open_handover, selling

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
        ("Marc", "🔥 2 hand-ove"),
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


def test_somebody_who_left_the_team_is_told_through_the_manager(session: Session, engine: Engine) -> None:
    waiting(session, 1, rep="Gone")
    ports = Listening()

    tell(engine, ports)

    assert ports.alerts[0].to == "Hélène"

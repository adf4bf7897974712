"""The rule of the silent years: three years from their own last act people are asked once, then erased."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.app.retention import apply_retention
from leadflow.models import confirmation, consent, intake, lead, message, suppression
from leadflow.playbook.model import Retention, Rights, Wish
from tests.apps import an_app
from tests.build import NIGHT, add_event, add_lead
from tests.pipeline.mails import email, mail_playbook

KEEP = email("keep", "**[Stay]({{ links.confirm }})**\n", purpose="service", pick="named")
RIGHTS = Rights(emails={Wish.KEEP: "keep"}, retention=Retention())
LONG_AGO, LATELY = NIGHT - timedelta(days=1200), NIGHT - timedelta(days=300)


@pytest.fixture
def app(engine: Engine, tmp_path: Path) -> App:
    return an_app(engine, book=mail_playbook(KEEP, rights=RIGHTS), workspace=tmp_path)


def add(app: App, person: int, **columns: Any) -> None:
    """Somebody who came 1,200 days ago and may be mailed."""
    with Session(app.engine) as session, session.begin():
        told: dict[str, Any] = {"basis": "consent", "first_seen_at": LONG_AGO} | columns
        add_lead(session, person, **told)


def asked(app: App) -> list[int]:
    with Session(app.engine) as session:
        return list(
            session.scalars(select(message.c.lead_id).where(message.c.email == "keep").order_by(message.c.lead_id))
        )


def people(app: App) -> list[int]:
    with Session(app.engine) as session:
        return list(session.scalars(select(lead.c.id).order_by(lead.c.id)))


def test_a_click_is_a_sign_of_life_and_what_others_did_is_none(app: App) -> None:
    for person in (1, 2, 3, 4):
        add(app, person)
    with Session(app.engine) as session, session.begin():
        add_event(session, 1, 1, "email_clicked", occurred_at=LATELY)
        add_event(session, 2, 2, "email_clicked", occurred_at=LATELY, weight=0)
        add_event(session, 3, 3, "call_logged", occurred_at=LATELY)
        said = {"lead_id": 4, "purpose": "newsletter", "state": "given", "method": "form", "at": LATELY}
        session.execute(insert(consent), said)

    assert apply_retention(app, NIGHT) == {"asked": 2, "erased": 0, "posts": 0}
    assert asked(app) == [2, 3]


def test_people_are_asked_once_and_erased_a_month_later_without_an_objection(app: App) -> None:
    add(app, 1)
    apply_retention(app, NIGHT)

    assert apply_retention(app, NIGHT + timedelta(days=29)) == {"asked": 0, "erased": 0, "posts": 0}
    assert apply_retention(app, NIGHT + timedelta(days=31)) == {"asked": 0, "erased": 1, "posts": 0}
    assert people(app) == []
    with Session(app.engine) as session:
        assert session.scalars(select(suppression.c.reason)).all() == []


def test_who_says_yes_stays_for_three_more_years(app: App) -> None:
    add(app, 1)
    apply_retention(app, NIGHT)
    with Session(app.engine) as session, session.begin():
        session.execute(update(confirmation).values(used_at=NIGHT + timedelta(days=2)))

    assert apply_retention(app, NIGHT + timedelta(days=900))["erased"] == 0
    assert apply_retention(app, NIGHT + timedelta(days=1200))["asked"] == 1


def test_who_cannot_be_asked_is_erased(app: App) -> None:
    hows: list[dict[str, Any]] = [{"no_mail": True}, {"basis": None}, {"address_id": None}]
    for person, how in enumerate(hows, start=1):
        add(app, person, **how)
    assert apply_retention(app, NIGHT) == {"asked": 0, "erased": 3, "posts": 0}


def test_customers_and_open_deals_are_kept_by_another_rule(app: App) -> None:
    add(app, 1, deal_state="open")
    add(app, 2, state={"lifecycle": "customer"})
    assert apply_retention(app, NIGHT) == {"asked": 0, "erased": 0, "posts": 0}


def test_a_dry_run_counts_and_changes_nothing(app: App) -> None:
    add(app, 1)
    add(app, 2, no_mail=True)
    assert apply_retention(app, NIGHT, dry_run=True) == {"asked": 1, "erased": 1, "posts": 0}
    assert (people(app), asked(app)) == ([1, 2], [])


def test_posts_that_were_read_go_after_a_year(app: App) -> None:
    def post(received: datetime, read: datetime | None) -> dict[str, Any]:
        return {"kind": "form", "received_at": received, "processed_at": read, "body": b"{}"}

    posts = [post(LONG_AGO, LONG_AGO), post(LONG_AGO, None), post(LATELY, LATELY)]
    with Session(app.engine) as session, session.begin():
        session.execute(insert(intake), posts)
    assert apply_retention(app, NIGHT)["posts"] == 1

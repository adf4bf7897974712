"""A hand-over reaches its salesperson: by mail as a page with buttons, by webhook as lines; people can look at it."""

from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.crm.apprise_channel import ApprisePort
from leadflow.models import escalation
from leadflow.pipeline.alerts import tell_sales
from tests.crm.conftest import Inbox
from tests.pipeline.claire import DOOR, OPENING, Kept, hand_over_claire, team_of


def tell(engine: Engine, url: str, language: str, tmp_path: Path) -> int:
    """Tell the team, each under the address that $SALES holds."""
    book = team_of(language)
    team = tuple(replace(rep, alert="$SALES") for rep in book.sales.team)
    spoken = replace(book, sales=replace(book.sales, team=team))
    channel = ApprisePort(tmp_path, environment={"SALES": url})
    return tell_sales(engine, spoken, OPENING, channel=channel, crm=Kept(), door=DOOR)


def parts_of(mail: EmailMessage) -> Mapping[str, str]:
    return {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ("répondre avant 13:00", "POURQUOI MAINTENANT", "Je m’en occupe", "proposé à Sofia")),
        ("en", ("answer before 13:00", "WHY NOW", "Not ready…", "offered to Sofia")),
    ],
)
def test_by_mail_it_is_a_page_with_buttons_and_lines_beside_it(
    session: Session, engine: Engine, inbox: tuple[Inbox, int], tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    hand_over_claire(session)
    received, port = inbox

    told = tell(engine, f"mailto://127.0.0.1:{port}/?from=leads@a.example&to=marc@a.example", language, tmp_path)

    assert told == 1
    (mail,) = received.mails
    parts = parts_of(mail)
    assert "Claire Morel — Vannes de la Loire" in str(mail["Subject"])
    for word in words:
        assert word in parts["text/html"]
        assert word in parts["text/plain"]
    # Three answers, and one of them as an appointment.
    assert parts["text/html"].count('href="https://leads.a.example/h/') == 4
    assert parts["text/html"].count('/meeting.ics"') == 1
    assert session.scalar(select(escalation.c.alerted_at)) == OPENING


def test_by_webhook_it_is_lines(
    session: Session, engine: Engine, webhook: tuple[list[Any], str], tmp_path: Path
) -> None:
    hand_over_claire(session)
    heard, url = webhook

    assert tell(engine, url, "en", tmp_path) == 1

    assert heard[0]["title"].startswith("🔥 Claire Morel — Vannes de la Loire")
    assert "WHY NOW              viewed a page (/tarifs), 2 times: Sat 14:15, Fri 10:15" in heard[0]["message"]
    assert "<" not in heard[0]["message"]


def test_a_mailbox_that_is_down_leaves_the_alert_for_the_next_time(
    session: Session, engine: Engine, inbox: tuple[Inbox, int], tmp_path: Path
) -> None:
    hand_over_claire(session)
    received, port = inbox

    assert tell(engine, "mailto://127.0.0.1:1/?from=leads@a.example&to=marc@a.example", "en", tmp_path) == 0
    assert tell(engine, f"mailto://127.0.0.1:{port}/?from=leads@a.example&to=marc@a.example", "en", tmp_path) == 1

    assert len(received.mails) == 1


@pytest.mark.parametrize("width", [680, 375])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_mail_fits_a_mail_programs_width(page: Page, language: str, width: int) -> None:
    golden = Path(__file__).parents[1] / "pipeline" / "golden" / f"alert.{language}.html"
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(golden.as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = [box["height"] for link in page.get_by_role("link").all() if (box := link.bounding_box())]
    # A thumb hits what is forty pixels high.
    assert [height >= 40 for height in heights] == [True] * 4

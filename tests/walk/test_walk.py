"""A visitor becomes a lead, confirms, reads and raises a hand, and a salesperson takes them: by keyboard alone."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.app import deliver_due, run_phase, sweep, why
from leadflow.models import consent, escalation, event, lead_state, suppression
from leadflow.types import Phase
from tests.postgres import Server
from tests.soak import SOAK
from tests.walk.town import Town, a_town
from tests.walk.visitor import Visitor
from tests.web.waiting import eventually

pytestmark = pytest.mark.browser

ADDRESS = "alix.martin@vannes-loire.example"
SALES = "sales@atelier-nord.example"
#: Where to keep what was seen, if anybody wants to look.
PICTURES = os.environ.get("WALK_PICTURES")
#: The others under `make soak`.
WALKS = [("sqlite", "fr"), ("postgres", "en"), *([("sqlite", "en"), ("postgres", "fr")] if SOAK else [])]
_THEIRS = lead_state.c.lead_id == escalation.c.lead_id


@pytest.fixture
def town(
    database: str, language: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Town]:
    folder = tmp_path / "atelier"
    url = f"sqlite:///{folder / 'leadflow.db'}" if database == "sqlite" else request.getfixturevalue("empty_url")
    with a_town(folder, url, language, "SALES_TEAM") as town:
        monkeypatch.setenv("SALES_TEAM", f"mailto://{urlsplit(town.mail.url).netloc}/?from=leads@a.example&to={SALES}")
        yield town


@pytest.fixture
def empty_url(postgres: Server) -> Iterator[str]:
    """A database without tables, as a new workspace finds it."""
    postgres.create("walk")
    yield postgres.url("walk")
    postgres.drop("walk")


@pytest.fixture
def tab(chromium: Browser, language: str) -> Iterator[Page]:
    """A tab of somebody who reads `language`."""
    with chromium.new_context(locale={"fr": "fr-FR", "en": "en-GB"}[language], timezone_id="Europe/Paris") as context:
        yield context.new_page()


@pytest.mark.soak
@pytest.mark.parametrize(("database", "language"), WALKS, indirect=["database"])
def test_a_visitor_walks_from_the_landing_page_to_a_salesperson(town: Town, tab: Page, language: str) -> None:
    visitor = Visitor(tab, language, Path(PICTURES) if PICTURES else None)
    arrives(town, visitor)
    confirms(town, visitor)
    browses(town, visitor)
    reads_what_the_night_sends(town, visitor)
    asks_for_a_demonstration(visitor)
    is_taken(town, visitor)
    chooses_what_to_receive(town, visitor)


def arrives(town: Town, visitor: Visitor) -> None:
    """The landing page, its form with a fault and without, and the white paper behind it."""
    page = visitor.page
    visitor.goes_to(f"{town.door}/p/a-site-that-sells?lang={visitor.language}&utm_source=fair")
    told = visitor.looks("landing")
    assert told["description"]
    assert told["canonical"].startswith(town.door)
    visitor.follows(visitor.button())
    visitor.looks("faults")
    visitor.fills(email=ADDRESS, first_name="Alix")
    visitor.presses(page.locator("input[type=checkbox]"), "Space")
    visitor.sends()
    visitor.looks("thanks")
    visitor.follows(page.locator("a.act"))
    visitor.looks("white-paper")


def confirms(town: Town, visitor: Visitor) -> None:
    """Nobody is on the list before the button of the mail's page is pressed."""
    visitor.reads(town.next_mail(ADDRESS), "mail-to-confirm")
    visitor.follows(visitor.page.locator(f'a[href^="{town.door}/confirm/"]').first)
    visitor.looks("confirm")
    assert consents(town) == ["asked"]
    visitor.follows(visitor.button())
    visitor.looks("confirmed")
    assert consents(town) == ["asked", "given"]


def consents(town: Town) -> list[str]:
    with Session(town.app.engine) as session:
        return list(session.scalars(select(consent.c.state).where(consent.c.purpose == "newsletter")))


def browses(town: Town, visitor: Visitor) -> None:
    """On the company's own site nothing is told before the visitor agrees."""
    place = "/en/work" if visitor.language == "en" else "/realisations"
    visitor.goes_to(f"{town.site}{place}")
    with visitor.page.expect_request_finished(lambda request: request.url == f"{town.door}/t"):
        visitor.presses(visitor.button())


def reads_what_the_night_sends(town: Town, visitor: Visitor) -> None:
    """A mail of the night, and its link: from now on the visitor of the site is the lead."""
    town.machine(sweep)
    town.machine(deliver_due)
    visitor.reads(town.next_mail(ADDRESS), "nurture-mail")
    with visitor.page.expect_request_finished(lambda request: request.url == f"{town.door}/t"):
        visitor.follows(visitor.page.locator(f'a[href^="{town.door}/c/"]').first)
    town.machine(lambda app, now: run_phase(app, Phase.CAPTURE, now))
    with Session(town.app.engine) as session:
        seen = session.scalars(select(event.c.kind).where(event.c.lead_id.is_not(None)).order_by(event.c.id)).all()
    assert seen.count("page_viewed") == 2


def asks_for_a_demonstration(visitor: Visitor) -> None:
    """A form, from the site's page: a hand is raised."""
    visitor.follows(visitor.page.get_by_role("link"))
    visitor.looks("demo-form")
    visitor.fills(email=ADDRESS, first_name="Alix", company="Vannes de la Loire", phone="+33 4 77 00 00 00")
    visitor.sends()
    visitor.looks("demo-thanks")


def is_taken(town: Town, visitor: Visitor) -> None:
    """The alert comes at once; a link of it shows a button, and the button answers."""
    alert = town.next_mail(SALES)
    for n, name in enumerate(("reject", "later", "accept"), start=1):
        visitor.reads(alert, "alert" if n == 1 else "")
        visitor.follows(visitor.page.locator(f'a[href^="{town.door}/h/"]:not([href$=".ics"])').nth(-n))
        visitor.looks(f"answer-{name}")
    visitor.follows(visitor.button())
    visitor.looks("accepted")
    with Session(town.app.engine) as session:
        theirs = select(escalation.c.state, lead_state.c.lifecycle).join_from(escalation, lead_state, _THEIRS)
        assert session.execute(theirs).one() == ("accepted", "prospect")


def chooses_what_to_receive(town: Town, visitor: Visitor) -> None:
    """The mail in the salesperson's name comes at once; a link of it leads to what one may choose, and out."""
    page = visitor.page
    visitor.reads(town.next_mail(ADDRESS), "taken-mail")
    # The sweep in which it left has yet to end.
    assert eventually(lambda: any("; accepted " in reason for reason in reasons(town)))
    assert reasons(town)[0].startswith("prospect · decision")
    # The next night tells nobody anything twice.
    town.machine(sweep)
    town.machine(deliver_due)
    assert town.unread == []
    visitor.follows(page.locator(f'a[href^="{town.door}/preferences/"]').first)
    visitor.looks("preferences")
    visitor.presses(page.locator("input[name=topic]").last, "Space")
    visitor.presses(page.locator("input[name=pause]"), "Space")
    visitor.follows(page.locator("button:not(.quiet)"))
    visitor.looks("preferences-saved")
    assert not page.locator("input[name=topic]").last.is_checked()
    visitor.follows(page.locator(f'a[href^="{town.door}/u/"]'))
    visitor.looks("unsubscribe")
    visitor.follows(visitor.button())
    visitor.looks("unsubscribed")
    with Session(town.app.engine) as session:
        assert session.scalars(select(suppression.c.reason)).all() == ["unsubscribed"]
    visitor.goes_to(f"{town.door}/p/no-such-page")
    visitor.looks("no-page")


def reasons(town: Town) -> list[str]:
    """What `leadflow why` says of the lead."""
    found = town.machine(lambda app, now: why(app, ADDRESS, None, now=now))
    return [line for section in (found.heading, *found.sections) for line in section.lines]

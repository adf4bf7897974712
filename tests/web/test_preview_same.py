"""What is seen is what is sent: byte for byte, once each reader's own links are put back to where they lead."""

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from leadflow.app.preview import Workbench
from leadflow.app.preview_readers import reader
from leadflow.email.catalog import Variant
from leadflow.email.hidden import hidden_link
from leadflow.esp.memory import MemoryProvider
from leadflow.links import HIDDEN, read_click, read_confirm, read_preferences, read_unsubscribe
from leadflow.models import account, lead, link
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.settings import Settings
from tests.build import NIGHT, add_lead
from tests.pipeline.mails import add_message, deliver

DOOR = "https://mail.a.example"
LEADS: dict[int, dict[str, Any]] = {
    7: {"first_name": "O'Brien & <b>", "last_name": "Zoé\u2028\r\n🦊", "country": "FR", "language": "fr"},
    8: {"first_name": "ليلى", "language": "en-IE", "country": "IE"},
}


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """The shipped one, its welcome in two variants."""
    shipped = load_playbook(Path(__file__).parents[2])
    short = Variant(name="short", share=50, subject={"fr": "Bien à vous"}, bodies={"en": "Hi!"}, kinds={"en": "md"})
    welcome = replace(shipped.emails["welcome"], variants=(short,))
    return replace(shipped, emails={**shipped.emails, "welcome": welcome})


def straight(part: str, targets: dict[int, str], *, escaped: bool) -> str:
    """`part` with the addresses of its clicks replaced by their targets, and its own ways out by those of previews."""

    def target(found: re.Match[str]) -> str:
        _message, number = read_click("k", found[1])
        return html.escape(targets[number]) if escaped else targets[number]

    part = re.sub(rf"{DOOR}/c/([\w.]+)", target, part)
    for door, read in {"u": read_unsubscribe, "preferences": read_preferences, "confirm": read_confirm}.items():
        for word in set(re.findall(rf"{DOOR}/{door}/([\w.]+)", part)):
            assert read("k", word)
            part = part.replace(word, "test")
    return part


@pytest.fixture
def people(session: Session) -> None:
    """Two people, one of whom we know everything about."""
    session.execute(insert(account), {"id": 1, "key": "x", "name": 'Vannes "de la" Loire & Fils', "created_at": 0})
    known = {"role": "decides", "cms": "prestashop", "job_title": "<script>", "employees": 80, "project": "redesign"}
    for number, columns in LEADS.items():
        add_lead(session, number, basis="consent", **columns)
    session.execute(update(lead).where(lead.c.id == 7).values(account_id=1, attributes=known))


@pytest.mark.usefixtures("people")
def test_every_shipped_mail_is_sent_as_it_was_previewed(
    engine: Engine, session: Session, database_url: str, playbook: Playbook
) -> None:
    drafts = [(name, draft) for name, email in playbook.emails.items() for draft in email.drafts]
    both = [(name, language, draft.variant) for name, draft in drafts for language in draft.bodies]
    wanted = dict(enumerate(((*mail, number) for mail in both for number in LEADS), start=100))
    for place, (name, language, variant, number) in wanted.items():
        apart = {"track": str(place), "sequence": str(place)}
        said = {"email": name, "language": language, "variant": variant or None}
        add_message(session, place, number, **said, counted=False, enrolment=apart)
    session.commit()
    memory = MemoryProvider()
    deliver(engine, memory, playbook=playbook)
    targets = {row.id: row.url for row in session.execute(select(link))}
    sent = {mail.message_id: mail for mail in memory.sent}

    settings = Settings(database_url=database_url, public_url=DOOR, secret=SecretStr("k"))
    known = {number: reader(settings, playbook, playbook.emails["welcome"], None, f"L-{number}") for number in LEADS}
    with Workbench(settings) as bench:
        for place, (name, language, variant, number) in wanted.items():
            whose = replace(known[number], email=name, language=language, variant=variant)
            seen = bench.preview_for(playbook, whose, NIGHT).rendered
            mail = sent.get(place)
            assert (mail is None) == (seen is None), f"{name} in {language} for lead {number}"
            if mail is not None and seen is not None:
                assert mail.html != seen.html, "nothing was declared to differ"
                # The one link that nobody is to see, beside others that are counted, is not shown either.
                link_in = hidden_link(HIDDEN) if f"{DOOR}/c/" in mail.html else ""
                unseen = f"{link_in}</body>".join(seen.html.rsplit("</body>", 1))
                assert (seen.subject, unseen, seen.text) == (
                    mail.subject,
                    straight(mail.html, targets, escaped=True),
                    straight(mail.text, targets, escaped=False),
                )
    assert 0 < len(sent) < len(wanted)

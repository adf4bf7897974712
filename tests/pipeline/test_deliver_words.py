"""The words a mail leaves with: those of today or of the day it was planned, signed by whom it should be."""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from leadflow.esp.memory import MemoryProvider
from leadflow.models import escalation
from leadflow.pipeline.runs import store_playbook
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from tests.build import NIGHT, add_lead
from tests.pipeline.mails import add_message, deliver, email, mail_playbook, row


def test_a_mail_that_lacks_a_value_fails_alone(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    book = mail_playbook(
        email(), email("needy", "For {{ company.name }}"), email("broken", "{{ lead.first_name.x.y }}")
    )
    for n, name in enumerate(("needy", "hello", "broken", "gone"), start=1):
        add_message(session, n, email=name, lead={"first_name": "A"})
    session.commit()
    deliver(engine, memory, playbook=book)
    found = [(row(engine, n).state, row(engine, n).reason) for n in range(1, 5)]
    failed = ("failed", "render_failed")
    assert [("failed", "missing_field"), ("accepted", None), failed, failed] == found
    assert row(engine, 1).note == "needy (en): company.name has no value"


def test_a_salesperson_who_accepted_signs_the_mails_that_ask_for_it(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_lead(session, 1, basis="consent")
    given = {"lead_id": 1, "number": 1, "rule": "r", "route": "x", "opened_at": NIGHT, "due_at": NIGHT, "playbook": "0"}
    session.execute(insert(escalation), given | {"rep": "Inès Roy", "state": "accepted"})
    add_message(session, 1, 1)
    session.commit()
    deliver(engine, memory, playbook=mail_playbook(email(body="{{ sender.first_name }}", sender="owner")))
    assert (memory.sent[0].from_name, memory.sent[0].from_address) == ("Inès Roy", "camille@a.example")
    assert memory.sent[0].text.splitlines()[0] == "Inès"


def _workspace(folder: Path, words: str) -> Playbook:
    """The shipped workspace with `words` in the English welcome, frozen."""
    root = Path(__file__).parents[2]
    for part in ("config", "segments", "templates", "lists", "pages"):
        shutil.copytree(root / part, folder / part)
    welcome = folder / "templates/emails/welcome"
    described = welcome / "email.yaml"
    described.write_text(described.read_text() + "\nfreeze: true\n")
    (welcome / "body.en.md").write_text(words)
    return load_playbook(folder)


def test_a_frozen_email_leaves_with_the_text_of_the_day_it_was_planned(
    engine: Engine, session: Session, memory: MemoryProvider, tmp_path: Path
) -> None:
    then, today = _workspace(tmp_path / "then", "Old words."), _workspace(tmp_path / "today", "New words.")
    store_playbook(session, then, NIGHT)
    planned: dict[str, Any] = {"email": "welcome", "version": then.emails["welcome"].version, "playbook": then.version}
    add_message(session, 1, **planned)
    add_message(session, 2, **planned | {"playbook": "never kept"})
    session.commit()
    deliver(engine, memory, playbook=today)
    assert ["Old words." in mail.text for mail in memory.sent] == [True]
    assert (row(engine, 1).version, row(engine, 2).reason) == (then.emails["welcome"].version, "render_failed")


def test_an_edited_email_leaves_with_the_new_text_and_says_so(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1, version="old")
    session.commit()
    deliver(engine, memory, playbook=mail_playbook(email(version="new")))
    assert row(engine, 1).version == "new"

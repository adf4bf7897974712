"""People for whom a named mail has no body are counted, by email and language."""

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from leadflow.ask.unreadable import Unreadable, unreadable_mails
from leadflow.steps.email import WAIT as STAY
from tests.pipeline.nurture_world import LEARN, WAIT, WELCOME, World, book, email, sequence


@pytest.mark.parametrize("when_none", ["skip", STAY])
def test_a_mail_without_a_body_for_its_reader_is_said(session: Session, when_none: str) -> None:
    steps = (replace(WELCOME, when_none=when_none), WAIT, LEARN)
    emails = [email("welcome", pick="named", written_in=("fr",)), email("guide")]
    world = World(session, book(sequence(steps=steps), emails=emails))
    for number, language in enumerate(("en", "en", "fr", "fr-be", "de", None), start=1):
        world.lead(number, language=language)

    world.sweep()

    found = unreadable_mails(session, world.playbook, world.now)
    assert found == (Unreadable(email="welcome", language="en", people=2),)

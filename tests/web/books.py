"""Small forms and pages for tests of the doors that show them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.playbook.forms import question_of
from leadflow.playbook.model import Form, Page, Question, Thanks, Wording
from tests.apps import an_app
from tests.build import DECLARED, add_lead, playbook

BOTH = ("fr", "en")


def both(text: str) -> dict[str, str]:
    """The same words in both languages."""
    return dict.fromkeys(BOTH, text)


def asked(name: str, *, needed: bool = False) -> Question:
    """A question for a declared field, or for one of the person's own."""
    spec = DECLARED.get(name) or FieldSpec(name=name, type=FieldType.TEXT, builtin=True)
    return question_of(spec, BOTH, needed=needed, own=both(name))


def a_form(**parts: Any) -> Form:
    """The form of a newsletter, in both languages."""
    plain: dict[str, Any] = {
        "name": "letter",
        "title": both("Our letter"),
        "button": both("Subscribe"),
        "event": "newsletter_joined",
        "questions": (asked("email", needed=True), asked("first_name")),
        "consents": (Wording(purpose="newsletter", text=both("I want the letter."), needed=True),),
        "notice": both("Your address serves for this letter alone."),
        "thanks": Thanks(title=both("Thank you"), text=both("See you **on Tuesday**.")),
    }
    return Form(**plain | parts)


def with_forms(
    engine: Engine, *forms: Form, pages: Iterable[Page] = (), workspace: Path = Path("nowhere"), **parts: Any
) -> App:
    """An opened workspace with these forms and pages, and lead number 7."""
    with Session(engine) as session, session.begin():
        add_lead(session, 7, language="en")
    book = replace(playbook(**parts), forms={one.name: one for one in forms}, pages={one.name: one for one in pages})
    return an_app(engine, book=book, workspace=workspace)

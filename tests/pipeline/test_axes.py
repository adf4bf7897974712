"""With the playbook that ships: one axis of one person changes the email, and a choice blind to it is caught."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ColumnElement, and_, insert, select, true
from sqlalchemy.orm import Session

from leadflow.models import enrolment, membership, message, tpl, tpl_lang
from leadflow.pipeline import nurture_choice
from leadflow.pipeline.nurture import nurture_leads
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE
from tests.build import NIGHT, add_lead
from tests.soak import ON_ONE_DATABASE

#: The step of each sequence that asks for the best email, and the one completed before it.
BEST = {"discovery": ("learn-1", "wait-1"), "evaluation": ("proof-1", None), "decision": ("offer", None)}
MAKER = {"stage": "evaluation", "segment": "manufacturers", "band": "B2", "language": "fr"}
READER = {"stage": "discovery", "segment": None, "band": "B3", "language": "fr"}

#: Axis → one person, and the email for each value of that axis alone.
AXES: dict[str, tuple[dict[str, Any], str, dict[str | None, str]]] = {
    "segment": (
        READER,
        "segment",
        {
            None: "what-buyers-compare",
            "manufacturers": "manufacturers-after-the-fair",
            "online-shops": "shops-three-numbers",
            "professional-firms": "firms-found-by-need",
        },
    ),
    "fit": (MAKER, "band", {"A2": "manufacturers-case-study", "D2": "manufacturers-engineers-time"}),
    "engagement": (READER, "band", {"B3": "what-buyers-compare", "B4": "site-that-sells-101"}),
    "stage": (
        MAKER,
        "stage",
        {
            "discovery": "manufacturers-after-the-fair",
            "evaluation": "manufacturers-case-study",
            "decision": "manufacturers-who-does-what",
        },
    ),
    "language": (
        MAKER | {"segment": "professional-firms"},
        "language",
        {"fr": "firms-visible-within-the-rules", "en": "guarantees-light"},
    ),
}


@pytest.fixture(scope="module")
def shipped() -> Playbook:
    """The playbook at the repository's root; all of it can be read in both languages, but for two."""
    book = load_playbook(Path(__file__).parents[2])
    french = {name: book.emails[name] for name in ("firms-visible-within-the-rules", "firms-partners-agree")}
    alone = {name: replace(email, bodies={"fr": email.bodies["fr"]}) for name, email in french.items()}
    return replace(book, emails={**book.emails, **alone})


def emails_by(axis: str, session: Session, book: Playbook) -> dict[str | None, str | None]:
    """The email that the person of an axis gets, by the value of that axis."""
    base, column, wanted = AXES[axis]
    return {value: _email_for(session, book, **base | {column: value}) for value in wanted}


def _email_for(
    session: Session, book: Playbook, *, stage: str, segment: str | None, band: str, language: str
) -> str | None:
    before = NIGHT - timedelta(days=9)
    state = {"stage": stage, "segment_main": segment}
    add_lead(session, 1, state=state, score={"band": band}, basis="consent", language=language, country="FR")
    if segment:
        session.execute(insert(membership), {"segment": segment, "lead_id": 1, "joined_at": before})
    step, position = BEST[stage]
    standing = {"sequence": stage, "track": "nurture", "entry": 1, "step": step, "position": position}
    dates = {"entered_at": before, "completed_at": before, "due_at": before}
    session.execute(insert(enrolment), {"id": 1, "lead_id": 1} | standing | dates)
    nurture_leads(session, book, NIGHT, EVERYONE)
    found = session.scalar(select(message.c.email))
    session.rollback()
    return found


@pytest.mark.parametrize("axis", AXES)
def test_changing_one_axis_alone_changes_the_email(session: Session, shipped: Playbook, axis: str) -> None:
    assert AXES[axis][2] == emails_by(axis, session, shipped)


def _anybody(*_arguments: object) -> ColumnElement[bool]:
    return true()


def _everybody_reads_the_first_language() -> ColumnElement[bool]:
    return and_(tpl_lang.c.template == tpl.c.template, tpl_lang.c.for_lang == "")


#: Axis → the functions a choice blind to it would not have.
BLIND: dict[str, dict[str, Callable[..., ColumnElement[bool]]]] = {
    "segment": {"for_segments": _anybody, "_for_segment": _anybody},
    "fit": {"_for_fit": _anybody},
    "engagement": {"_for_engagement": _anybody},
    "stage": {"_for_stage": _anybody},
    "language": {"_readable": _everybody_reads_the_first_language},
}


@ON_ONE_DATABASE
@pytest.mark.parametrize("axis", AXES)
def test_a_choice_blind_to_an_axis_is_caught(
    session: Session, shipped: Playbook, monkeypatch: pytest.MonkeyPatch, axis: str
) -> None:
    for name, blind in BLIND[axis].items():
        assert hasattr(nurture_choice, name)
        monkeypatch.setattr(nurture_choice, name, blind)
    found = emails_by(axis, session, shipped)
    assert found != AXES[axis][2]

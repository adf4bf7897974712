"""What an alert says, in both languages, word by word (`LEADFLOW_GOLDEN=write` writes the golden files anew)."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update
from sqlalchemy.orm import Session

from leadflow.links import read_answer
from leadflow.models import assignment, escalation, lead
from leadflow.pipeline.alert_text import Door
from leadflow.playbook.model import NoAnswer
from tests.build import add_event, add_lead
from tests.pipeline.claire import DOOR, OPENING, alerts_to, hand_over_claire, team_of
from tests.pipeline.sales import open_handover, sales

WRITE = os.environ.get("LEADFLOW_GOLDEN") == "write"
GOLDEN = Path(__file__).parent / "golden"


def lines_of(engine: Engine, language: str = "en", **parts: Any) -> list[str]:
    """The title and the lines of the only alert, which is told with that."""
    (alert,) = alerts_to(engine, team_of(language, **parts))
    return [alert.title, *alert.body.splitlines()]


def after(heading: str, lines: list[str]) -> str:
    """What follows a heading, on its first line."""
    return next(text for text in lines if text.startswith(heading))[len(heading) :].strip()


def line(engine: Engine, heading: str) -> str:
    """What follows a heading of the only alert, which is told with that."""
    return after(heading, lines_of(engine))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_alert_reads_as_its_golden_file(session: Session, engine: Engine, language: str) -> None:
    hand_over_claire(session)

    (alert,) = alerts_to(engine, team_of(language))

    for ending, text in (("txt", f"{alert.title}\n\n{alert.body}\n"), ("html", alert.html)):
        path = GOLDEN / f"alert.{language}.{ending}"
        if WRITE:
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_digest_tells_each_under_its_number(session: Session, engine: Engine, language: str) -> None:
    hand_over_claire(session)
    open_handover(session, 3, alerted_at=None, due_at=OPENING + timedelta(hours=5), lead={"first_name": "Luc"})
    session.commit()

    (alert,) = alerts_to(engine, team_of(language))

    assert alert.title == {"en": "🔥 2 hand-overs for Marc", "fr": "🔥 2 transmissions pour Marc"}[language]
    assert [text[:9] for text in alert.body.splitlines() if text[:2] in ("1.", "2.")] == ["1. Claire", "2. Luc · "]
    assert alert.html.count("<h2") + alert.html.count("font-size:19px") == 2


def test_each_answer_is_a_link_of_the_salesperson_it_is_told_to(session: Session, engine: Engine) -> None:
    hand_over_claire(session)

    links = [text.partition("]")[2].strip() for text in lines_of(engine) if text.startswith("[ ")]

    tokens = [url.removeprefix("https://leads.a.example/h/") for url in links]
    said = [read_answer(DOOR.key, token) for token in tokens]
    assert said == [(1, "Marc", "accept"), (1, "Marc", "later"), (1, "Marc", "reject")]


def test_without_a_door_the_terminal_is_named_alone(session: Session, engine: Engine) -> None:
    hand_over_claire(session)

    (alert,) = alerts_to(engine, team_of("en"), door=Door())

    assert "leadflow handover accept 1" in alert.body
    assert "[ " not in alert.body


def test_the_acts_the_rule_asks_for_come_first(session: Session, engine: Engine) -> None:
    hand_over_claire(session)
    add_event(session, 50, 1, "page_viewed", path="/contact", occurred_at=OPENING - timedelta(hours=1))
    session.commit()

    assert line(engine, "WHY NOW").startswith("viewed a page (/tarifs), 2 times: Sat 14:15, Fri 10:15")


def test_a_rule_without_acts_tells_the_field_it_looks_at(session: Session, engine: Engine) -> None:
    open_handover(session, 1, rule="deadline-near", alerted_at=None, lead={"attributes": {"deadline": "2026-05-07"}})
    session.commit()

    assert line(engine, "WHY NOW") == "Deadline: 7 May"


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("decides", "decides"),
        ("uses", "uses it, does not buy it (no decision maker known)"),
        ("unknown", "role not known (no decision maker known)"),
    ],
)
def test_the_role_is_said_in_words(session: Session, engine: Engine, role: str, said: str) -> None:
    open_handover(session, 1, alerted_at=None, lead={"attributes": {"role": role}})
    session.commit()

    assert line(engine, "WHO") == said


def test_whoever_decides_there_is_named(session: Session, engine: Engine) -> None:
    hand_over_claire(session)
    add_lead(session, 3, account_id=5, first_name="Jean", last_name="Roy", attributes={"role": "decides"})
    session.commit()

    lines = lines_of(engine)
    assert after("WHO", lines).endswith("advises, does not sign (who decides there: Jean Roy)")
    # Jean did nothing lately.
    assert "1 other person" in after("AT THEIRS TOO", lines)


def test_what_is_not_known_is_asked_and_what_is_met_is_not(session: Session, engine: Engine) -> None:
    hand_over_claire(session)

    assert line(engine, "TO ASK") == "Budget?  Deadline?"


def test_a_person_without_a_name_has_no_gap_in_what_can_be_said(session: Session, engine: Engine) -> None:
    hand_over_claire(session)
    session.execute(update(lead).where(lead.c.id == 1).values(first_name=None))
    session.commit()

    assert line(engine, "WHAT YOU CAN SAY") == "“Hello, what does Vannes de la Loire expect of its site?”"


def test_somebody_of_whom_nothing_is_known_still_has_an_alert(session: Session, engine: Engine) -> None:
    open_handover(session, 1, alerted_at=None, lead={"address_id": None})
    session.commit()

    title, *lines = lines_of(engine)

    assert title.startswith("🔥 L-0001 · A2")
    assert after("WHY NOW", lines) == "no act in 30 days"
    assert after("TELEPHONE", lines) == "not known"
    assert after("LEGAL BASIS", lines) == "none: do not write"


def test_what_strangers_wrote_is_no_markup_and_no_second_line(session: Session, engine: Engine) -> None:
    hand_over_claire(session)
    session.execute(update(lead).values(first_name="<!channel>\nBcc: x", last_name="<b>Morel</b>"))
    session.commit()

    (alert,) = alerts_to(engine, team_of("en"))

    assert alert.title.startswith("🔥 ‹!channel› Bcc: x ‹b›Morel‹/b› — ")
    assert "<!" not in alert.body
    assert "<b>" not in alert.html


@pytest.mark.parametrize(
    ("columns", "no_answer", "said"),
    [
        ({}, {}, "without an answer by 17:00: offered to Sofia"),
        ({"reminders": 2}, {}, "without an answer by Tue 13:00: offered to Hélène"),
        ({"reminders": 3}, {}, "without an answer by 6 April: a lead again"),
        ({}, {"at_100": "manager"}, "without an answer by 13:00: offered to Hélène"),
    ],
)
def test_it_says_when_silence_takes_it_to_whom(
    session: Session, engine: Engine, columns: Mapping[str, Any], no_answer: Mapping[str, Any], said: str
) -> None:
    hand_over_claire(session, **columns)

    assert said in lines_of(engine, sales=sales(no_answer=NoAnswer(**no_answer)))


def test_from_the_manager_silence_takes_it_nowhere(session: Session, engine: Engine) -> None:
    hand_over_claire(session, rep="Hélène")

    # Nobody said what the manager speaks: it is the brand's first language.
    assert "sans réponse le 6 avril\u00a0: redevient un lead" in lines_of(engine)


def test_a_reminder_says_that_it_is_one(session: Session, engine: Engine) -> None:
    hand_over_claire(session, reminders=1)

    assert lines_of(engine)[0].startswith("🔥 Waiting for your answer · Claire Morel")


def test_whoever_steps_in_reads_who_was_silent_and_their_own_deadline(session: Session, engine: Engine) -> None:
    hand_over_claire(session, rep="Sofia", reminders=2)
    stepped_in = {"escalation_id": 1, "at": OPENING + timedelta(hours=8), "rep": "Sofia", "route": "knows-the-segment"}
    session.execute(insert(assignment), stepped_in | {"taken_from": "Marc"})
    session.execute(update(escalation).values(rep="Sofia"))
    session.commit()

    title = lines_of(engine)[0]

    assert title.startswith("🔥 Marc has not answered · Claire Morel")
    assert title.endswith("answer before Tue 13:00")

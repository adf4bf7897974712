"""Which email: each axis of `for` decides, then rank, main segment, narrowness and name."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.tree import FieldLeaf
from leadflow.models import lead_score, membership, message
from leadflow.steps.email import EmailStep
from leadflow.types import DAY, Purpose
from tests.build import NIGHT, segment
from tests.pipeline.nurture_world import LEARN, WAIT, World, book, email, sequence

ANYBODY = FieldLeaf(field="lifecycle", operator="is", value="lead")
SEGMENTS = {name: segment(name, ANYBODY) for name in ("makers", "shops")}


def _chosen(session: Session, *emails: Any, segments: tuple[str, ...] = (), **person: Any) -> str | None:
    """The email one person gets from a step that asks for the best one for discovery."""
    steps = [EmailStep(name="learn", best_for="discovery", when_none="wait")]
    world = World(session, book(sequence(steps=steps, enter=ANYBODY), emails=emails, segments=SEGMENTS))
    band = person.pop("band", "B2")
    state = {"stage": person.pop("stage", "discovery"), "segment_main": segments[0] if segments else None}
    world.lead(state=state, score={"band": band}, **person)
    for name in segments:
        session.execute(insert(membership), {"segment": name, "lead_id": 1, "joined_at": NIGHT})
    world.sweep()
    return session.scalar(select(message.c.email))


NARROW_AND_WIDE = {
    "segment": (
        [email("a-wide"), email("narrow", segments=("makers",))],
        {"segments": ("makers",)},
        {"segments": ("shops",)},
    ),
    "fit": ([email("a-wide"), email("narrow", fit=("A", "B"))], {"band": "B2"}, {"band": "C2"}),
    "engagement": ([email("a-wide"), email("narrow", engagement=("1", "2"))], {"band": "B2"}, {"band": "B3"}),
    "language": (
        [email("a-wide"), email("narrow", languages=("en",))],
        {"language": "en"},
        {"language": "fr"},
    ),
    "stage": (
        [email("a-wide", stage=("discovery", "evaluation")), email("narrow", stage=("discovery",))],
        {"stage": "discovery"},
        {"stage": "evaluation"},
    ),
}


@pytest.mark.parametrize("who", [1, 2], ids=["narrow", "a-wide"])
@pytest.mark.parametrize("axis", NARROW_AND_WIDE)
def test_changing_one_axis_of_a_person_changes_the_email(session: Session, axis: str, who: int) -> None:
    emails = NARROW_AND_WIDE[axis][0]
    person: Any = NARROW_AND_WIDE[axis][who]
    assert _chosen(session, *emails, **person) == ["narrow", "a-wide"][who - 1]


def test_an_email_for_another_stage_than_the_step_asks_for_is_not_chosen(session: Session) -> None:
    assert _chosen(session, email("late", stage=("evaluation",)), email("z-any")) == "z-any"


def test_rank_comes_first(session: Session) -> None:
    assert _chosen(session, email("narrow", fit=("B",)), email("ranked", rank=51)) == "ranked"


def test_a_match_on_the_main_segment_comes_before_a_narrower_for(session: Session) -> None:
    narrower = email("a-narrow", segments=("shops",), fit=("B",), engagement=("2",))
    assert _chosen(session, narrower, email("main", segments=("makers",)), segments=("makers", "shops")) == "main"


def test_more_keys_then_fewer_values_then_the_name_decide(session: Session) -> None:
    one, two = email("one", fit=("B",)), email("two", fit=("A", "B"), engagement=("2",))
    assert _chosen(session, one, two) == "two"


def test_fewer_values_are_narrower(session: Session) -> None:
    assert _chosen(session, email("a", fit=("A", "B")), email("b", fit=("B",))) == "b"


def test_the_name_settles_a_tie(session: Session) -> None:
    assert _chosen(session, email("b"), email("a")) == "a"


def test_a_when_of_its_own_must_hold(session: Session) -> None:
    irish = email("irish", when=FieldLeaf(field="country", operator="in", value=("IE",)), rank=90)
    assert _chosen(session, irish, email("plain"), country="FR") == "plain"


def test_a_when_that_holds_lets_the_email_in(session: Session) -> None:
    irish = email("irish", when=FieldLeaf(field="country", operator="in", value=("IE",)), rank=90)
    assert _chosen(session, irish, email("plain"), country="IE") == "irish"


def test_an_email_that_needs_what_is_unknown_is_passed_over(session: Session) -> None:
    needy = email("needy", rank=90, needs={"fr": frozenset({"lead.first_name", "company.name"})})
    assert _chosen(session, needy, email("plain"), first_name="Léa") == "plain"


@pytest.mark.parametrize(("attributes", "expected"), [({"employees": 12}, "needy"), ({}, "plain")])
def test_declared_fields_are_needed_too(session: Session, attributes: dict[str, Any], expected: str) -> None:
    needy = email("needy", rank=90, needs={"fr": frozenset({"lead.employees"})})
    assert _chosen(session, needy, email("plain"), attributes=attributes) == expected


def test_an_email_picked_by_name_only_is_never_the_best(session: Session) -> None:
    assert _chosen(session, email("named", pick="named", rank=90), email("plain")) == "plain"


@pytest.mark.parametrize(
    ("language", "expected"), [("fr-be", "fr"), ("en", "en"), ("de", "fr"), (None, "fr"), ("en-gb", "en")]
)
def test_people_get_their_language_else_the_brands_first(session: Session, language: str | None, expected: str) -> None:
    _chosen(session, email("plain"), language=language)
    assert session.scalar(select(message.c.language)) == expected


def test_nobody_gets_a_mail_in_another_language_the_brand_speaks(session: Session) -> None:
    assert _chosen(session, email("french", written_in=("fr",)), language="en") is None


def test_the_same_email_comes_once_in_again_after_and_then_the_step_is_skipped(session: Session) -> None:
    world = World(session, book(sequence(steps=[LEARN, WAIT, EmailStep(name="more", best_for="discovery")])))
    world.lead()
    world.sweep()
    for _ in range(6):
        world.night()
    assert world.emails() == [("guide", "accepted")]
    assert ("discovery/more", "no_mail_left") in world.decisions("skip")
    assert world.enrolments() == [("discovery", "ended", "finished")]


def test_an_email_may_come_again_after_its_time(session: Session) -> None:
    steps = [LEARN, WAIT, EmailStep(name="more", best_for="discovery")]
    world = World(session, book(sequence(steps=steps), emails=[email("guide", again_after=2 * DAY)]))
    world.lead()
    world.sweep()
    for _ in range(3):
        world.night()
    assert world.emails() == [("guide", "accepted"), ("guide", "planned")]


def test_a_named_email_is_held_to_again_after_too(session: Session) -> None:
    steps = [EmailStep(name="first", email="welcome"), EmailStep(name="second", email="welcome"), LEARN]
    world = World(session, book(sequence(steps=steps)))
    world.lead()
    world.sweep()
    world.night(3)
    assert world.decisions("skip") == [("discovery/second", "already_received")]
    assert world.emails()[1:] == [("guide", "planned")]


def test_a_named_email_that_lacks_a_field_fails_and_the_sequence_goes_on(session: Session) -> None:
    needy = email("needy", pick="named", needs={"fr": frozenset({"lead.first_name"})})
    steps = [EmailStep(name="ask", email="needy"), LEARN]
    world = World(session, book(sequence(steps=steps), emails=[needy, email("guide")]))
    world.lead()
    world.sweep()
    assert world.emails() == [("needy", "failed"), ("guide", "planned")]
    assert world.decisions("skip") == [("discovery/ask", "missing_field")]


@pytest.mark.parametrize(
    ("when_none", "expected"),
    [
        ("skip", [("discovery", "active", "wait")]),
        ("wait", [("discovery", "active", "learn")]),
        ("exit", [("discovery", "ended", "no_mail_left")]),
    ],
)
def test_when_no_email_is_left_the_step_says_what_happens(
    session: Session, when_none: str, expected: list[tuple[str, str, str]]
) -> None:
    steps = [EmailStep(name="learn", best_for="discovery", when_none=when_none), WAIT]
    world = World(session, book(sequence(steps=steps), emails=[email("none", fit=("A",))]))
    world.lead()
    world.sweep()
    assert world.enrolments() == expected
    assert world.decisions("skip") == [("discovery/learn", "no_mail_left")]


def test_the_choice_is_kept_with_what_it_saw(session: Session) -> None:
    _chosen(session, email("a"), email("b"), segments=("makers",))
    seen = {"stage": "discovery", "segment": "makers", "band": "B2", "candidates": 2}
    assert session.scalar(select(message.c.chosen)) == seen


def test_a_changed_band_changes_the_next_choice(session: Session) -> None:
    world = World(session, book(emails=[email("a-wide"), email("hot", engagement=("1",))]))
    world.lead()
    world.sweep()
    session.execute(update(lead_score).values(band="A1"))
    for _ in range(3):
        world.night()
    assert world.emails()[-1] == ("hot", "planned")


def test_service_mail_is_never_the_best(session: Session) -> None:
    assert _chosen(session, email("service", purpose=Purpose.SERVICE, rank=90), email("plain")) == "plain"

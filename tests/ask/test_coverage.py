"""The grid of emails left: who counts, what they had, and where and when the next mail is missing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from leadflow.ask.coverage import Cell, Count, Coverage, cover
from leadflow.ask.dry import dry_cells
from leadflow.conditions.tree import FieldLeaf
from leadflow.models import membership, message
from leadflow.pipeline.catalogue import load_catalogue
from leadflow.steps.email import EmailStep
from leadflow.types import DAY
from tests.build import NIGHT, segment
from tests.pipeline.nurture_world import LEARN, WAIT, World, book, email, sequence

MORE = EmailStep(name="more", best_for="discovery")
SEGMENTS = {"makers": segment("makers", FieldLeaf(field="lifecycle", operator="is", value="lead"))}


def _covered(world: World) -> Coverage:
    return cover(world.session, world.playbook, world.now + timedelta(microseconds=1))


def _there(found: Coverage) -> dict[Cell, Count]:
    return {cell: count for cell, count in found.cells.items() if count.people}


def test_each_place_counts_its_people_and_the_emails_they_have_not_had(session: Session) -> None:
    emails = [
        email("guide"),
        email("makers-case", segments=("makers",)),
        email("narrow", fit=("A",), languages=("fr",)),
    ]
    steps = [LEARN, WAIT, MORE]
    world = World(session, book(sequence(steps=steps), emails=emails, segments=SEGMENTS))
    for number, language in enumerate(("fr", "fr-be", "en", None, "fr"), start=1):
        world.lead(number, language=language, score={"band": "A2"}, **({"basis": None} if number == 5 else {}))
    session.execute(insert(membership), {"segment": "makers", "lead_id": 1, "joined_at": NIGHT})
    world.state(1, segment_main="makers")
    load_catalogue(session, world.playbook)

    before = _there(_covered(world))
    world.sweep()
    after = _there(_covered(world))

    makers, french, english = (
        Cell(lang, seg, "discovery", "A2") for lang, seg in (("fr", "makers"), ("fr", ""), ("en", ""))
    )
    assert {cell: (count.people, count.fewest, count.most, count.mails) for cell, count in before.items()} == {
        makers: (1, 3, 3, 3),
        french: (2, 2, 2, 2),
        english: (1, 1, 1, 1),
    }
    assert {cell: (count.people, count.fewest, count.without) for cell, count in after.items()} == {
        makers: (1, 2, 0),
        french: (2, 1, 0),
        english: (1, 0, 1),
    }


def test_a_cell_runs_dry_when_its_people_come_to_a_choice_they_have_no_email_for(session: Session) -> None:
    steps = [LEARN, WAIT, MORE, replace(WAIT, name="again"), EmailStep(name="last", best_for="discovery")]
    world = World(session, book(sequence(steps=steps), emails=[email("guide"), email("tour")]))
    world.lead(1)
    world.sweep()
    (dry,) = _covered(world).dry
    # Two waits of three business days are ahead, and one email for the step between them.
    assert (dry.name, dry.people) == ("discovery × – × fr", 1)
    assert dry.first == world.now + timedelta(microseconds=1 + 2 * (3 * DAY * 7 // 5))


def test_what_the_plan_calls_dry_is_dry_in_the_grid_which_looks_further_ahead(session: Session) -> None:
    world = World(session, book(sequence(steps=[LEARN, WAIT, MORE]), emails=[email("guide")]))
    for number in (1, 2, 3):
        world.lead(number)
    world.sweep()
    session.execute(update(message).where(message.c.lead_id == 3).values(state="failed"))
    told, found = dry_cells(session, world.playbook, world.now), _covered(world).dry
    assert [(cell.name, cell.people) for cell in told] == [("discovery × – × fr", 2)]
    # The third still gets the one email there is, and nothing at the step after it.
    assert [(cell.name, cell.people) for cell in found] == [("discovery × – × fr", 3)]


@pytest.mark.parametrize("number", [60])
def test_emails_are_told_apart_however_many_there_are(session: Session, number: int) -> None:
    emails = [email(f"mail-{i:02}", rank=90 if i == number else 50) for i in range(70)]
    world = World(session, book(sequence(steps=[LEARN, WAIT, MORE]), emails=emails))
    world.lead(1)
    world.sweep()
    assert session.scalar(select(message.c.email)) == f"mail-{number}"
    (count,) = _there(_covered(world)).values()
    assert (count.mails, count.fewest) == (70, 69)


def test_emails_for_nobody_who_is_here_are_named(session: Session) -> None:
    emails = [email("guide"), email("late", stage=("decision",)), email("english", written_in=("en",))]
    world = World(session, book(sequence(steps=[LEARN]), emails=emails))
    world.lead(1)
    world.sweep()
    assert _covered(world).unmet == ("english", "late")

"""Memberships open and close with what holds; one main segment a lead."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.tree import Condition, FieldLeaf, Not, SegmentLeaf
from leadflow.models import lead, lead_state, membership
from leadflow.pipeline.segment import segment_leads
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE, Leads, Outcome
from tests.build import NIGHT, add_lead, playbook, segment

Interval = tuple[str, datetime, datetime | None]


def lives_in(*countries: str) -> Condition:
    """A condition that a test switches by moving the lead."""
    return FieldLeaf(field="country", operator="in", value=countries)


def segments(*order: str, **conditions: Condition) -> Playbook:
    """A playbook of segments only."""
    made = {name: segment(name, when) for name, when in conditions.items()}
    return playbook(segments=made, segment_order=order or tuple(made))


def sweep(session: Session, book: Playbook, country: str | None, *, days: int = 0) -> Outcome:
    """Move every lead there and sweep `days` after the night."""
    session.execute(update(lead).values(country=country))
    return segment_leads(session, book, NIGHT + timedelta(days=days), EVERYONE)


def intervals(session: Session, lead_id: int = 1) -> list[Interval]:
    """The memberships of a lead, oldest first."""
    rows = session.execute(select(membership).where(membership.c.lead_id == lead_id))
    return sorted((row.segment, row.joined_at, row.left_at) for row in rows)


def main_of(session: Session, lead_id: int = 1) -> str | None:
    """The main segment of a lead."""
    return session.scalar(select(lead_state.c.segment_main).where(lead_state.c.lead_id == lead_id))


def test_a_lead_joins_what_holds_and_leaves_what_no_longer_does(session: Session) -> None:
    add_lead(session, 1)
    book = segments(north=lives_in("FR", "BE"), west=lives_in("FR", "IE"))
    first = sweep(session, book, "FR")
    second = sweep(session, book, "IE", days=1)
    assert (first.counts, second.counts) == ({"joined": 2, "left": 0}, {"joined": 0, "left": 1})
    assert [("north", NIGHT, NIGHT + timedelta(days=1)), ("west", NIGHT, None)] == intervals(session)


def test_whoever_comes_back_gets_a_second_interval(session: Session) -> None:
    add_lead(session, 1)
    book = segments(north=lives_in("FR"))
    for day, country in enumerate(("FR", "US", "FR")):
        sweep(session, book, country, days=day)
    day_1, day_2 = (NIGHT + timedelta(days=n) for n in (1, 2))
    assert [("north", NIGHT, day_1), ("north", day_2, None)] == sorted(intervals(session), key=lambda i: i[1])


def test_leaving_and_coming_back_at_one_instant_leaves_no_empty_interval(session: Session) -> None:
    add_lead(session, 1)
    book = segments(north=lives_in("FR"))
    for country in ("FR", "US", "FR", "US"):
        sweep(session, book, country)
    assert intervals(session) == []
    sweep(session, book, "FR")
    assert intervals(session) == [("north", NIGHT, None)]


def test_the_main_segment_is_the_first_of_the_order_that_holds(session: Session) -> None:
    add_lead(session, 1)
    book = segments("west", "north", north=lives_in("FR", "BE"), west=lives_in("FR"), east=lives_in("DE"))
    found = []
    for day, country in enumerate(("FR", "BE", "DE")):
        sweep(session, book, country, days=day)
        found.append(main_of(session))
    assert found == ["west", "north", None]


def test_a_segment_may_stand_on_another(session: Session) -> None:
    add_lead(session, 1)
    abroad = Not(SegmentLeaf(segment="north"))
    sweep(session, segments(abroad=abroad, north=lives_in("FR")), "DE")
    assert [name for name, _, _ in intervals(session)] == ["abroad"]


def test_a_segment_that_vanished_from_the_files_is_closed(session: Session) -> None:
    add_lead(session, 1)
    sweep(session, segments(north=lives_in("FR")), "FR")
    sweep(session, segments(), "FR", days=1)
    assert [("north", NIGHT, NIGHT + timedelta(days=1))] == intervals(session)
    assert main_of(session) is None


def test_more_segments_than_one_word_holds(session: Session) -> None:
    add_lead(session, 1)
    many = segments(**{f"s{i:03}": lives_in("FR") if i % 3 else lives_in("DE") for i in range(130)})
    assert sweep(session, many, "FR").counts["joined"] == 86
    assert sweep(session, many, "DE", days=1).counts == {"joined": 44, "left": 86}
    assert main_of(session) == "s000"


def test_leads_out_of_scope_or_seen_by_a_later_sweep_stay(session: Session) -> None:
    for i in (1, 2, 3):
        add_lead(session, i, country="FR", state={"as_of": NIGHT + timedelta(seconds=1)} if i == 2 else {})
    outcome = segment_leads(session, segments(north=lives_in("FR")), NIGHT, Leads((1, 2)))
    assert (outcome.read, outcome.changed) == (1, 1)
    assert [[1] if intervals(session, i) else [] for i in (1, 2, 3)] == [[1], [], []]


def test_the_same_sweep_twice_changes_no_row(session: Session) -> None:
    add_lead(session, 1)
    book = segments(north=lives_in("FR"))
    sweep(session, book, "FR")
    before = [session.execute(select(table)).all() for table in (membership, lead_state)]
    assert sweep(session, book, "FR").changed == 0
    assert before == [session.execute(select(table)).all() for table in (membership, lead_state)]


@given(st.lists(st.tuples(st.sampled_from(["FR", "BE", "DE", None]), st.integers(0, 1)), min_size=1, max_size=8))
def test_the_open_memberships_are_what_holds(engine: Engine, nights: list[tuple[str | None, int]]) -> None:
    book = segments(north=lives_in("FR", "BE"), south=Not(SegmentLeaf(segment="north")), east=lives_in("DE"))
    with Session(engine) as session:
        add_lead(session, 1)
        day = 0
        for country, wait in nights:
            day += wait
            sweep(session, book, country, days=day)
            held = {"north"} if country in {"FR", "BE"} else {"south", "east"} if country == "DE" else {"south"}
            rows = intervals(session)
            assert held == {name for name, _, left in rows if left is None}
            assert all(left is None or joined < left for _, joined, left in rows)
        session.rollback()

"""A condition asked of the past gets the answer it would have got then."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, select, update

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.evaluate import View, holds
from leadflow.conditions.past import sources_as_of
from leadflow.conditions.tree import Condition, FieldLeaf, leaves
from leadflow.conditions.vocabulary import Level
from leadflow.conditions.words import change_of
from leadflow.models import account, consent, lead, lead_change, lead_state, membership, stage_change
from tests.conditions.drawn import CONDITIONS, LEADS, LEAVES
from tests.conditions.reading import condition
from tests.conditions.world import NOW, VOCABULARY, Lead, store

_TICK = timedelta(microseconds=1)


def remembers(asked: Condition) -> bool:
    """Whether `asked` needs nothing that a caller must compute."""
    names = [leaf.field for leaf in leaves(asked) if isinstance(leaf, FieldLeaf)]
    return all(VOCABULARY.fields[name].level is Level.GIVEN or name == "stage" for name in names)


def changes(number: int, then: Lead, today: Lead) -> Iterator[dict[str, Any]]:
    """What history has of a lead: a change before that day, and two since for each field that differs."""
    was, now = columns(number, then), columns(number, today)
    for name in sorted({*was, *now}):
        row = {"lead_id": number, "field": name, "source": "form"}
        yield {**row, "at": NOW - _TICK, "before": change_of("long ago"), "after": change_of(was.get(name))}
        # By their spelling: 1 equals True in Python, and answers another way.
        if repr(was.get(name)) != repr(now.get(name)):
            yield {**row, "at": NOW, "before": change_of(was.get(name)), "after": change_of("between")}
            yield {**row, "at": NOW, "before": change_of("between"), "after": change_of(now.get(name))}


def columns(number: int, one: Lead) -> Mapping[str, Any]:
    return {
        **one.attributes,
        "first_name": one.first_name,
        "country": one.country,
        "email_is_free": one.email_is_free,
        "account_id": None if one.company is None else number,
    }


def live_on(connection: Connection, number: int, then: Lead, today: Lead) -> None:
    """What happened to a stored lead from that day on."""
    connection.execute(
        insert(consent), {"lead_id": number, "purpose": "newsletter", "state": "given", "at": NOW, "method": "form"}
    )
    connection.execute(delete(membership).where(membership.c.lead_id == number))
    for name in then.segments | today.segments:
        joined = NOW - _TICK if name in then.segments else NOW
        left = None if name in today.segments else NOW
        connection.execute(
            insert(membership), {"segment": name, "lead_id": number, "joined_at": joined, "left_at": left}
        )
    connection.execute(insert(lead_change), list(changes(number, then, today)))
    if then.state is not None:
        stage = then.state["stage"]
        moves = [(NOW - _TICK, "decision", stage), (NOW, stage, "elsewhere"), (NOW + _TICK, "elsewhere", "gone")]
        rows = [{"lead_id": number, "at": at, "before": b, "after": a, "playbook": ""} for at, b, a in moves]
        connection.execute(insert(stage_change), rows)
        connection.execute(update(lead_state).where(lead_state.c.lead_id == number).values(stage="gone"))
    if then.company is not None and today.company is None:
        row = {"id": number, "key": str(number), "name": then.company, "created_at": NOW}
        connection.execute(insert(account), row)


def keeps_the_name(then: Lead, today: Lead) -> Lead:
    """A company that stays may change its name, which no history keeps."""
    return today if None in (then.company, today.company) else replace(today, company=then.company)


@given(
    pairs=st.lists(st.tuples(LEADS, LEADS), min_size=1, max_size=6),
    conditions=st.lists(st.one_of(LEAVES, CONDITIONS).filter(remembers), min_size=6, max_size=6),
)
def test_a_condition_asked_of_the_past_gets_the_answer_of_then(
    engine: Engine, pairs: list[tuple[Lead, Lead]], conditions: list[Condition]
) -> None:
    pairs = [(then, keeps_the_name(then, now)) for then, now in pairs]
    stored = [replace(now, consents=then.consents, state=then.state, acts=then.acts) for then, now in pairs]
    sources = sources_as_of(VOCABULARY, NOW)
    asked = [compile_condition(c, sources, NOW, VOCABULARY).label(f"c{i}") for i, c in enumerate(conditions)]
    query = select(*asked).select_from(sources.from_).where(sources.known).order_by(sources.lead_id)
    with engine.begin() as connection:
        connection.execute(delete(lead_change))
        connection.execute(delete(stage_change))
        store(connection, stored)
        for number, (then, now) in enumerate(pairs, 1):
            live_on(connection, number, then, now)
        rows = list(connection.execute(query))
    view = View(now=NOW, vocabulary=VOCABULARY)
    for i, wanted in enumerate(conditions):
        expected = [holds(wanted, then.person(spent=False), view) for then, _now in pairs]
        assert [row[i] for row in rows] == expected, wanted


def test_people_who_came_later_are_not_asked(engine: Engine) -> None:
    sources = sources_as_of(VOCABULARY, NOW)
    with engine.begin() as connection:
        store(connection, [Lead(attributes={}), Lead(attributes={})])
        connection.execute(update(lead).where(lead.c.id == 2).values(created_at=NOW))
        query = select(sources.lead_id).select_from(sources.from_).where(sources.known)
        assert list(connection.scalars(query)) == [1]


def test_a_score_of_then_is_not_read_from_today() -> None:
    with pytest.raises(LookupError, match="fit"):
        compile_condition(condition("{field: fit, over: 3}"), sources_as_of(VOCABULARY, NOW), NOW, VOCABULARY)

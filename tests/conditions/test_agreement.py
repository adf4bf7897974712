"""The compiled SQL and plain Python say the same of everybody, on both databases."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.evaluate import Act, View, holds
from leadflow.conditions.sources import Sources, live_sources
from leadflow.conditions.tree import AnyOf, Condition, FieldLeaf, SegmentLeaf
from leadflow.types import DAY
from tests.conditions.drawn import ACTS, CONDITIONS, LEADS, LEAVES
from tests.conditions.world import NOW, VOCABULARY, Lead, store

#: `circle` asks for itself; inside, it reads the (empty) membership.
INLINE: dict[str, Condition] = {
    "shops": FieldLeaf(field="industry", operator="is", value="retail"),
    "circle": AnyOf((SegmentLeaf(segment="circle"), SegmentLeaf(segment="shops"))),
}


def answers(connection: Connection, conditions: Sequence[Condition], sources: Sources) -> list[tuple[object, ...]]:
    """One row a lead in order of id: what SQL says of each condition."""
    columns = [compile_condition(c, sources, NOW, VOCABULARY).label(f"c{i}") for i, c in enumerate(conditions)]
    query = select(*columns).select_from(sources.from_).order_by(sources.lead_id)
    return [tuple(row) for row in connection.execute(query)]


@given(
    leads=st.lists(LEADS, min_size=1, max_size=12),
    strangers=st.lists(ACTS, max_size=2),
    conditions=st.lists(st.one_of(LEAVES, CONDITIONS), min_size=10, max_size=10),
    inline=st.sampled_from([{}, INLINE]),
    spent=st.booleans(),
    fresh_within=st.sampled_from([None, None, DAY]),
)
def test_sql_says_of_everybody_what_plain_python_says(
    engine: Engine,
    leads: list[Lead],
    strangers: list[Act],
    conditions: list[Condition],
    inline: dict[str, Condition],
    spent: bool,
    fresh_within: int | None,
) -> None:
    sources = live_sources(VOCABULARY, inline=inline, spent=spent, fresh_within=fresh_within)
    with engine.begin() as connection:
        store(connection, leads, strangers)
        rows = answers(connection, conditions, sources)
    people = [lead.person(spent=spent) for lead in leads]
    view = View(now=NOW, vocabulary=VOCABULARY, segments=inline, fresh_within=fresh_within)
    for i, condition in enumerate(conditions):
        expected = [holds(condition, who, view) for who in people]
        assert expected == [row[i] for row in rows], condition

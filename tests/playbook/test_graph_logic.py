"""What is said of conditions nobody meets is true: whoever is found meeting one proves it wrong."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from leadflow.conditions.evaluate import View, holds
from leadflow.conditions.tree import All, AnyOf, Condition, FieldLeaf, Not, SegmentLeaf
from leadflow.playbook.graph_logic import Logic
from tests.conditions.drawn import CONDITIONS, LEADS, LEAVES
from tests.conditions.world import NOW, VOCABULARY, Lead

SEGMENTS: dict[str, Condition] = {
    "shops": FieldLeaf(field="industry", operator="is", value="retail"),
    "circle": AnyOf((SegmentLeaf(segment="circle"), SegmentLeaf(segment="shops"))),
}
LOGIC = Logic(vocabulary=VOCABULARY, segments=SEGMENTS)
INDUSTRY = replace(VOCABULARY.fields["industry"], choices=("retail", "public"))


def field(name: str, operator: str, value: object) -> FieldLeaf:
    return FieldLeaf(field=name, operator=operator, value=value)  # type: ignore[arg-type]


@given(
    leads=st.lists(LEADS, min_size=4, max_size=8),
    conditions=st.lists(st.one_of(LEAVES, CONDITIONS), min_size=4, max_size=4),
)
def test_a_condition_that_somebody_meets_is_never_called_impossible(
    leads: list[Lead], conditions: list[Condition]
) -> None:
    view = View(now=NOW, vocabulary=VOCABULARY, segments=SEGMENTS)
    for one, other in zip(conditions, [*conditions[1:], conditions[0]], strict=True):
        for condition in (one, Not(one), All((one, other)), All((one, Not(other)))):
            if not LOGIC.can_hold(condition):
                assert not any(holds(condition, lead.person(spent=False), view) for lead in leads), condition


def test_a_day_is_a_day_however_it_came() -> None:
    for day in ("2026-03-01", date(2026, 3, 1)):
        assert LOGIC.can_hold(field("deadline", "is", day))
        assert not LOGIC.can_hold(All((field("deadline", "is", day), field("deadline", "after", date(2026, 3, 2)))))


def test_what_excludes_itself_is_found() -> None:
    big, small = field("employees", "at_least", 250), field("employees", "under", 50)

    assert LOGIC.clash(All((big, small))) == "employees"
    both = All((SegmentLeaf(segment="shops"), field("industry", "is", "public")))
    declared = replace(VOCABULARY, fields={**VOCABULARY.fields, "industry": INDUSTRY})
    assert Logic(vocabulary=declared, segments=SEGMENTS).clash(both) == "industry"
    assert LOGIC.implies(field("employees", "at_least", 50), field("employees", "over", 10))
    assert not LOGIC.implies(field("employees", "over", 10), field("employees", "at_least", 50))


def test_a_condition_of_too_many_cases_is_left_alone() -> None:
    either = [AnyOf((field("employees", "is", n), field("employees", "is", -n - 1))) for n in range(12)]

    assert LOGIC.can_hold(All(tuple(either)))

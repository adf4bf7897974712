"""What hypothesis draws: conditions, and people hard to judge: odd JSON types, wildcards, borders of windows."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from leadflow.conditions.evaluate import Act
from leadflow.conditions.operators import OPERATORS, Asked
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not, SegmentLeaf
from leadflow.conditions.vocabulary import FieldType
from leadflow.types import DAY
from tests.conditions.world import DECLARED, NOW, TICK, VOCABULARY, Lead

TEXTS = (
    "",
    "a",
    "A",
    "é",
    "É",
    "e\u0301",
    "ß",
    "SS",
    "%",
    "_",
    "a_b",
    "a*b",
    "[a]",
    "\\",
    "a?b",
    "x CEO y",
    "ceos",
    "'",
    "😀",
    " ",
)
TOPICS: tuple[object, ...] = ("seo", "12", 12, "true", True, False, None, 1.5, "[x]", "100%", ["seo"])
PATHS = (
    None,
    "",
    "/",
    "/tarifs",
    "/tarifs/b",
    "/tarift",
    "/tarif",
    "/TARIFS",
    "/a_b",
    "/axb",
    "/[b]",
    "/100%",
    "/é",
    "/tarifs\U0010ffff",
)
NUMBERS = (0, 1, -1, 35, 10**12)
DATES = ("2026-03-01", "2026-03-02", "2026-03-12", "2025-12-31")
INSTANTS = tuple(
    NOW + d
    for d in (
        -7 * DAY * TICK,
        -7 * DAY * TICK - TICK,
        -7 * DAY * TICK + TICK,
        -TICK,
        0 * TICK,
        TICK,
        timedelta(days=-40),
    )
)
_RIGHT: Mapping[FieldType, Sequence[Any]] = {
    FieldType.TEXT: TEXTS,
    FieldType.INTEGER: NUMBERS,
    FieldType.NUMBER: (*NUMBERS, 0.1, 35.5, -2.25),
    FieldType.BOOLEAN: (True, False),
    FieldType.DATE: DATES,
    FieldType.CHOICE: ("retail", "public", "A1", "discovery", "met", "unmet"),
}
#: Values of every JSON type: each is wrong for most fields.
_ANY_JSON: tuple[Any, ...] = (None, "abc", "12", "2026-1-1", "2026-03-02T00:00", 7, 0.5, True, [], {"v": 1}, ["a"])

_RECENT = st.just(NOW - timedelta(days=1))
_topics = st.sampled_from(TOPICS)
ACTS = st.builds(
    Act,
    kind=st.sampled_from(["page_viewed", "email_clicked", "webinar_attended"]),
    occurred_at=st.one_of(_RECENT, st.sampled_from(INSTANTS)),
    received_at=st.one_of(_RECENT, st.sampled_from(INSTANTS)),
    path=st.sampled_from(PATHS),
    weight=st.sampled_from([100, 100, 30, 0, -5]),
    properties=st.one_of(st.just({}), st.builds(lambda topic: {"topic": topic}, _topics)),
)


def _value(kind: FieldType) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(_RIGHT[kind]), st.sampled_from(_RIGHT[kind]), st.sampled_from(_ANY_JSON))


_states = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(["discovery", "decision"]),
        "qualification": st.integers(0, 3),
        "criteria": st.integers(0, 3),
        "with_sales": st.booleans(),
        "spent_before": st.sampled_from([None, *INSTANTS]),
    }
)
LEADS = st.builds(
    Lead,
    attributes=st.fixed_dictionaries({}, optional={name: _value(kind) for name, kind in DECLARED.items()}),
    first_name=st.sampled_from([None, *TEXTS]),
    country=st.sampled_from([None, "FR", "BE"]),
    company=st.sampled_from([None, *TEXTS]),
    email_is_free=st.booleans(),
    consents=st.lists(st.sampled_from(["given", "withdrawn"]), max_size=3).map(tuple),
    score=st.none() | st.tuples(st.sampled_from([0, 99, 3499, 3500, 3501, 10_000]), st.sampled_from(["A1", "D4"])),
    state=st.none() | _states,
    segments=st.frozensets(st.sampled_from(["shops", "makers"])),
    acts=st.lists(ACTS, max_size=5).map(tuple),
)

_patterns = st.sampled_from(
    [
        "*",
        "",
        "/tarifs*",
        "/tarifs",
        "*s",
        "/?arif*",
        "/a_b",
        "/[b]*",
        "/[b]",
        "/*[b]",
        "/100%",
        "/100%*",
        "/*%",
        "\\*",
        "/é",
        "/*",
    ]
)
_topic_patterns = st.sampled_from(["seo", "s*", "12", "true", "1*", "*", "[x]", "?x]", "100%", "*%", 12, True])


@st.composite
def _field_leaves(draw: st.DrawFn) -> FieldLeaf:
    spec = draw(st.sampled_from(list(VOCABULARY.fields.values())))
    operator = draw(st.sampled_from([row for row in OPERATORS.values() if row.suits_field(spec)]))
    one = st.sampled_from(_RIGHT[spec.type])
    match operator.asked:
        case Asked.FLAG:
            value: Any = draw(st.booleans())
        case Asked.NEXT | Asked.LAST:
            value = draw(st.sampled_from([0, DAY, 10 * DAY, 100 * DAY]))
        case Asked.MANY | Asked.FILE:
            value = tuple(draw(st.lists(one, max_size=3)))
            if spec.type is FieldType.TEXT and draw(st.booleans()):
                value += tuple(f"filler {i}" for i in range(200))
        case Asked.PAIR:
            value = tuple(sorted(draw(st.tuples(one, one))))
        case Asked.WORDS:
            value = tuple(
                draw(st.lists(st.sampled_from(["CEO", "é", "a b", "SS", "x ceo", "o"]), min_size=1, max_size=2))
            )
        case Asked.ONE if operator.name == "matches":
            value = draw(st.sampled_from([*TEXTS, "*", "a*", "*b", "?", "[*", "*%", "\\*", "a_*", "*'*", "?*"]))
        case Asked.ONE:
            value = draw(one)
    return FieldLeaf(field=spec.name, operator=operator.name, value=value)


@st.composite
def _event_leaves(draw: st.DrawFn) -> EventLeaf:
    least = draw(st.sampled_from([None, 1, 1, 2, 3]))
    where: dict[str, tuple[Any, ...]] = {}
    if draw(st.booleans()):
        where["path"] = tuple(draw(st.lists(_patterns, min_size=1, max_size=2)))
    if draw(st.integers(0, 3)) == 0:
        where["topic"] = tuple(draw(st.lists(_topic_patterns, min_size=1, max_size=2)))
    return EventLeaf(
        events=tuple(draw(st.lists(st.sampled_from(list(VOCABULARY.events)), min_size=1, max_size=2, unique=True))),
        where=where,
        at_least=least,
        at_most=draw(st.sampled_from([None, 0, 1, 2]) if least is None else st.sampled_from([None, None, 3])),
        within=draw(st.sampled_from([None, 7 * DAY, 30 * DAY])),
    )


LEAVES: st.SearchStrategy[Condition] = st.one_of(
    _field_leaves(), _event_leaves(), st.builds(SegmentLeaf, segment=st.sampled_from(sorted(VOCABULARY.segments)))
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: All(tuple(items))),
        st.lists(inner, max_size=3).map(lambda items: AnyOf(tuple(items))),
        inner.map(Not),
    ),
    max_leaves=5,
)

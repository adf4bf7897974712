"""A small vocabulary and people who are hard to judge: missing values, odd JSON types, wildcards, window borders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert

from leadflow.conditions.evaluate import Act, Person
from leadflow.conditions.operators import OPERATORS, Asked
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not, SegmentLeaf
from leadflow.conditions.vocabulary import EventSpec, FieldSpec, FieldType, Level, Vocabulary
from leadflow.conditions.words import fold, fold_words
from leadflow.models import account, consent, event, lead, lead_score, lead_state, membership
from leadflow.types import DAY

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
TODAY = NOW.date()
_TICK = timedelta(microseconds=1)

_DECLARED = {
    "job_title": FieldType.TEXT,
    "note": FieldType.TEXT,
    "employees": FieldType.INTEGER,
    "rate": FieldType.NUMBER,
    "subscribed": FieldType.BOOLEAN,
    "deadline": FieldType.DATE,
    "industry": FieldType.CHOICE,
}
_BUILTIN = {
    "first_name": (FieldType.TEXT, Level.GIVEN),
    "country": (FieldType.TEXT, Level.GIVEN),
    "company": (FieldType.TEXT, Level.GIVEN),
    "email_is_free": (FieldType.BOOLEAN, Level.GIVEN),
    "consent.newsletter": (FieldType.BOOLEAN, Level.GIVEN),
    "fit": (FieldType.INTEGER, Level.SCORED),
    "band": (FieldType.CHOICE, Level.SCORED),
    "stage": (FieldType.CHOICE, Level.STAGED),
    "qualification": (FieldType.INTEGER, Level.STAGED),
    "qualification.profile": (FieldType.CHOICE, Level.STAGED),
    "qualification.budget": (FieldType.CHOICE, Level.STAGED),
    "with_sales": (FieldType.BOOLEAN, Level.ESCALATED),
}
VOCABULARY = Vocabulary(
    fields={
        **{name: FieldSpec(name=name, type=kind) for name, kind in _DECLARED.items()},
        **{
            name: FieldSpec(name=name, type=kind, builtin=True, level=level) for name, (kind, level) in _BUILTIN.items()
        },
    },
    events={
        "page_viewed": EventSpec(name="page_viewed", properties=("path", "topic"), label={"en": "viewed a page"}),
        "email_clicked": EventSpec(name="email_clicked", properties=("path", "topic")),
        "webinar_attended": EventSpec(name="webinar_attended", properties=("path", "topic")),
    },
    segments=frozenset({"shops", "makers", "circle"}),
)

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
        -7 * DAY * _TICK,
        -7 * DAY * _TICK - _TICK,
        -7 * DAY * _TICK + _TICK,
        -_TICK,
        0 * _TICK,
        _TICK,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One person as rows of the tables."""

    attributes: Mapping[str, Any]
    first_name: str | None = None
    country: str | None = None
    company: str | None = None
    email_is_free: bool = False
    #: States of the consent ledger, oldest first.
    consents: tuple[str, ...] = ()
    #: None: no row.
    score: tuple[int, str] | None = None
    state: Mapping[str, Any] | None = None
    segments: frozenset[str] = frozenset()
    acts: tuple[Act, ...] = ()

    def person(self, *, spent: bool) -> Person:
        """What Python judges."""
        state = self.state or {}
        bits = state.get("criteria")
        computed = {
            "first_name": self.first_name,
            "country": self.country,
            "company": self.company,
            "email_is_free": self.email_is_free,
            "consent.newsletter": self.consents[-1:] == ("given",),
            "fit": self.score and self.score[0],
            "band": self.score and self.score[1],
            "stage": state.get("stage"),
            "qualification": state.get("qualification"),
            "qualification.profile": None if bits is None else "met" if bits & 1 else "unmet",
            "qualification.budget": None if bits is None else "met" if bits & 2 else "unmet",
            "with_sales": state.get("with_sales"),
        }
        return Person(
            fields={**self.attributes, **computed},
            events=self.acts,
            segments=self.segments,
            spent_before=state.get("spent_before") if spent else None,
        )


def folded(attributes: Mapping[str, Any]) -> dict[str, str]:
    """What intake keeps beside declared text."""
    texts = {k: v for k, v in attributes.items() if _DECLARED[k] is FieldType.TEXT and isinstance(v, str)}
    return {k: fold(v) for k, v in texts.items()} | {f"{k}#words": fold_words(v) for k, v in texts.items()}


def store(connection: Connection, leads: Sequence[Lead], strangers: Sequence[Act] = ()) -> None:
    """Replace everybody by `leads`, ids from 1; `strangers` are acts nobody is known to have done."""
    for table in (event, membership, consent, lead_state, lead_score, lead, account):
        connection.execute(delete(table))
    rows: dict[Any, list[dict[str, Any]]] = {
        t: [] for t in (account, lead, lead_score, lead_state, consent, membership, event)
    }
    for number, one in enumerate(leads, 1):
        _rows(number, one, rows)
    for act in strangers:
        rows[event].append(_event(len(rows[event]) + 1, None, act))
    for table, found in rows.items():
        if found:
            connection.execute(insert(table), found)


def _rows(number: int, one: Lead, rows: dict[Any, list[dict[str, Any]]]) -> None:
    if one.company is not None:
        rows[account].append({"id": number, "key": str(number), "name": one.company, "created_at": NOW})
    rows[lead].append(
        {
            "id": number,
            "seed": number,
            "account_id": None if one.company is None else number,
            "first_name": one.first_name,
            "country": one.country,
            "email_is_free": one.email_is_free,
            "attributes": dict(one.attributes),
            "folded": folded(one.attributes),
            "first_seen_at": NOW - _TICK,
            "created_at": NOW - _TICK,
            "updated_at": NOW - _TICK,
        }
    )
    if one.score is not None:
        rows[lead_score].append({"lead_id": number, "fit": one.score[0], "band": one.score[1]})
    if one.state is not None:
        rows[lead_state].append({"lead_id": number, "stage_since": NOW, "lifecycle_since": NOW, **one.state})
    for i, state in enumerate(one.consents):
        # Two lines of one instant: the later row is the later word.
        at = NOW - timedelta(days=9 - i // 2)
        rows[consent].append({"lead_id": number, "purpose": "newsletter", "state": state, "at": at, "method": "form"})
    for name in ("shops", "makers"):
        left = None if name in one.segments else NOW
        rows[membership].append({"segment": name, "lead_id": number, "joined_at": NOW - _TICK, "left_at": left})
    rows[event] += [_event(len(rows[event]) + i, number, act) for i, act in enumerate(one.acts, 1)]


def _event(id_: int, lead_id: int | None, act: Act) -> dict[str, Any]:
    return {
        "id": id_,
        "month": 202603,
        "lead_id": lead_id,
        "kind": act.kind,
        "occurred_at": act.occurred_at,
        "received_at": act.received_at,
        "path": act.path,
        "weight": act.weight,
        "properties": dict(act.properties),
    }


# What hypothesis draws from

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
    attributes=st.fixed_dictionaries({}, optional={name: _value(kind) for name, kind in _DECLARED.items()}),
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


__all__ = ["ACTS", "CONDITIONS", "LEADS", "LEAVES", "NOW", "TODAY", "VOCABULARY", "Lead", "store"]

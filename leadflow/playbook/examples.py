"""`examples:` of a segment: leads that must match and leads that must not, tried with plain Python."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from leadflow.conditions.evaluate import Act, Person, View, holds
from leadflow.conditions.operand_parse import one_value
from leadflow.conditions.vocabulary import FieldType, Vocabulary
from leadflow.playbook.known import Known
from leadflow.playbook.model import Segment
from leadflow.reading import Node, did_you_mean
from leadflow.reading.words import span_of
from leadflow.text import _
from leadflow.types import FULL_WEIGHT, Lifecycle, SpanKind

#: Kept in hundredths of a point, written in points.
_SCORES = ("fit", "engagement", "velocity")
HUNDREDTHS = 100
#: Examples say how long ago, never when: any instant gives the same answers.
EXAMPLES_AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
_IN = re.compile(r"in (\S+ \S+)|(\S+ \S+) ago")


def examples_of(node: Node, vocabulary: Vocabulary) -> tuple[tuple[bool, Mapping[str, Any]], ...]:
    """`examples: {match: […], no_match: […]}`, typed: (expected to match, field → value, `events` → acts)."""
    node.only("match", "no_match")
    return tuple((expected, _lead(example, vocabulary)) for expected, example in _written(node))


def check_examples(segment: Segment, node: Node, known: Known) -> None:
    """A fault for each example that the segment's condition judges otherwise than its author."""
    view = View(now=EXAMPLES_AT, vocabulary=known.vocabulary, segments=known.segments)
    for (expected, lead), (_expected, written) in zip(segment.examples, _written(node), strict=True):
        found = holds(segment.when, _person(lead, known), view)
        if found != expected:
            written.fault(
                _("this example should match the segment and does not")
                if expected
                else _("this example should not match the segment and does")
            )


def _written(node: Node) -> list[tuple[bool, Node]]:
    sides = (("match", True), ("no_match", False))
    return [(expected, example) for key, expected in sides for example in node.part(key).elements()]


def _lead(node: Node, vocabulary: Vocabulary) -> dict[str, Any]:
    lead: dict[str, Any] = {}
    for key, value in node.items():
        if key.raw == "events":
            lead["events"] = tuple(_act(act, vocabulary) for act in value.elements())
        elif spec := vocabulary.fields.get(key.raw):
            lead[key.raw] = _date(value) if spec.type is FieldType.DATE else one_value(value, spec)
        else:
            key.fault(
                _('field "{field}" is not known.').format(field=key.raw) + did_you_mean(key.raw, vocabulary.fields)
            )
    return lead


def _date(node: Node) -> date | None:
    """`in 30 days`, `10 days ago`: a calendar date would stop being true by itself."""
    found = _IN.fullmatch(node.raw)
    span = span_of(found[1] or found[2]) if found else None
    if found is None or span is None or span.kind is not SpanKind.ELAPSED:
        node.fault(_("in an example, write a date as in 30 days or 10 days ago"))
        return None
    away = timedelta(microseconds=span.amount)
    return (EXAMPLES_AT + away if found[1] else EXAMPLES_AT - away).date()


def _act(node: Node, vocabulary: Vocabulary) -> Mapping[str, Any]:
    """`{page_viewed: {path: /tarifs}, times: 2, ago: 3 days}`; alone, `meeting_booked` is once, just now."""
    keys = [key for key, _value in node.items() if key.raw not in ("times", "ago")] if node.is_mapping else [node]
    kind = keys[0] if keys else node
    if len(keys) != 1 or kind.raw not in vocabulary.events:
        kind.fault(
            _('event "{event}" is not known.').format(event=kind.raw) + did_you_mean(kind.raw, vocabulary.events)
        )
        return {}
    details = node.part(kind.raw) if node.is_mapping else Node(node.file, node.line, node.column, node.faults)
    details.only(*vocabulary.events[kind.raw].properties)
    return {
        "kind": kind.raw,
        "properties": {key: value.text() or "" for key, value in details.named()},
        "times": node.part("times").integer(at_least=1, at_most=1000) or 1,
        "ago": node.part("ago").duration() or 1,
    }


def _person(lead: Mapping[str, Any], known: Known) -> Person:
    """What a sweep would see of this lead; what nobody can lack has its first value."""
    given = {
        name: value * HUNDREDTHS if name in _SCORES else value
        for name, value in lead.items()
        if name != "events" and value is not None
    }
    return Person(
        fields={**_first_values(known), **given},
        events=[act for written in lead.get("events", ()) if written for act in _acts(written)],
        segments=frozenset(),
    )


def _first_values(known: Known) -> dict[str, object]:
    zeros = dict.fromkeys((*_SCORES, "qualification"), 0)
    consents = {name: False for name in known.vocabulary.fields if name.startswith("consent.")}
    stage = {"stage": known.stages[0]} if known.stages else {}
    return {**zeros, **consents, **stage, "lifecycle": str(Lifecycle.LEAD), "band": "D4", "with_sales": False}


def _acts(written: Mapping[str, Any]) -> list[Act]:
    at = EXAMPLES_AT - timedelta(microseconds=written["ago"])
    act = Act(
        kind=written["kind"],
        occurred_at=at,
        received_at=at,
        path=written["properties"].get("path"),
        weight=FULL_WEIGHT,
        properties=written["properties"],
    )
    return [act] * int(written["times"])

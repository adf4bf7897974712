"""How points add up to a score: terms, caps and the clip, in plain whole numbers that people can check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from leadflow.playbook.model import Scoring

#: Scores are kept in hundredths of a point.
POINT = 100
HIGHEST = 100 * POINT


class TermKind(StrEnum):
    RULE = "rule"
    #: What a rule's own `max` takes off, or gives back below zero.
    RULE_CAP = "rule_cap"
    GROUP_CAP = "group_cap"
    #: What keeps the score between 0 and 100.
    CLIP = "clip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One line of a score; `name` is a rule's or a group's, '' for the clip."""

    kind: TermKind
    name: str = ""
    #: Hundredths of a point.
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A score with the lines that make it: their values sum to `score` exactly."""

    terms: tuple[Term, ...]
    score: int


class Entry(NamedTuple):
    """What one rule brings, before any cap; `cap` in points."""

    rule: str
    group: str
    value: int
    cap: int | None = None


def clamp(value: int, bound: int | None) -> int:
    """`value` within ±`bound` points."""
    return value if bound is None else max(-bound * POINT, min(bound * POINT, value))


def divide(total: int, by: int) -> int:
    """Integer division towards zero, as both databases divide."""
    return total // by if total >= 0 else -(-total // by)


def add_up(entries: Sequence[Entry], groups: Mapping[str, int]) -> Sheet:
    """Clamp each rule, sum by group, clamp each group, sum, clip to 0…100 points; each clamp is a term."""
    terms: list[Term] = []
    for group in dict.fromkeys(entry.group for entry in entries):
        first = len(terms)
        for entry in entries:
            if entry.group == group:
                terms += _lines(entry)
        reached = sum(term.value for term in terms[first:])
        terms += _difference(TermKind.GROUP_CAP, group, reached, clamp(reached, groups.get(group)))
    reached = sum(term.value for term in terms)
    terms += _difference(TermKind.CLIP, "", reached, max(0, min(HIGHEST, reached)))
    return Sheet(terms=tuple(terms), score=sum(term.value for term in terms))


def _lines(entry: Entry) -> list[Term]:
    if not entry.value:
        return []
    capped = _difference(TermKind.RULE_CAP, entry.rule, entry.value, clamp(entry.value, entry.cap))
    return [Term(kind=TermKind.RULE, name=entry.rule, value=entry.value), *capped]


def _difference(kind: TermKind, name: str, reached: int, kept: int) -> list[Term]:
    return [] if kept == reached else [Term(kind=kind, name=name, value=kept - reached)]


def band_of(scoring: Scoring, *, fit: int, engagement: int, veto: str | None) -> str:
    """`A1` … `D4` of two scores in hundredths; a veto forces D."""
    letter = _band(scoring.fit_bands, fit, "D") if veto is None else "D"
    return letter + _band(scoring.engagement_bands, engagement, "4")


def _band(bounds: Sequence[tuple[str, int]], score: int, lowest: str) -> str:
    return next((name for name, least in bounds if score >= least * POINT), lowest)

"""The SQL of each kind of condition, for people to read.

`LEADFLOW_GOLDEN=write pytest tests/conditions/test_golden.py` writes it anew.
"""

import os
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.operators import OPERATORS
from leadflow.conditions.sources import live_sources
from leadflow.types import HOUR
from tests.conditions.reading import condition
from tests.conditions.world import NOW, VOCABULARY

WRITE = os.environ.get("LEADFLOW_GOLDEN") == "write"
GOLDEN = Path(__file__).parent / "golden"
DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}  # type: ignore[no-untyped-call]
FIELDS = (
    "{field: country, is: FR}",
    "{field: country, is_not: FR}",
    "{field: industry, in: [retail, public]}",
    "{field: industry, not_in: [retail, public]}",
    "{field: job_title, in_file: lists/firms.txt}",
    "{field: employees, at_least: 10}",
    "{field: fit, at_most: 35}",
    "{field: rate, over: 0.5}",
    "{field: employees, under: 3}",
    "{field: employees, between: [10, 250]}",
    "{field: deadline, before: 2026-12-21}",
    "{field: deadline, after: 2026-12-21}",
    "{field: deadline, within_next: 120 days}",
    "{field: deadline, within_last: 30 days}",
    "{field: job_title, contains: chef}",
    "{field: job_title, starts_with: chef}",
    "{field: job_title, matches: 'chef*'}",
    "{field: job_title, matches: '*chef?[1]_'}",
    "{field: job_title, matches_word: [gérant, directeur général]}",
    "{field: subscribed, is: true}",
    "{field: employees, known: false}",
    "{field: consent.newsletter, is: true}",
    "{field: qualification.budget, is: met}",
)
EVENTS = (
    "{event: page_viewed}",
    "{event: page_viewed, where: {path: /tarifs*}, at_least: 2, within: 14 days}",
    "{event: [page_viewed, email_clicked], at_most: 3, within: 7 days}",
    "{event: page_viewed, where: {path: [/a, '/*/b'], topic: [seo, 'ad*']}, at_least: 1, at_most: 4}",
)
TREES = (
    "{segment: shops}",
    "{not: {all: [{segment: shops}, {any: [{field: country, is: FR}, {event: page_viewed}]}]}}",
)


def sql_of(written: str, dialect: str, *, strict: bool = False) -> str:
    sources = live_sources(VOCABULARY, spent=strict, fresh_within=24 * HOUR if strict else None)
    found = compile_condition(condition(written), sources, NOW, VOCABULARY)
    whole = select(sources.lead_id).select_from(sources.from_).where(found)
    text = str(whole.compile(dialect=DIALECTS[dialect], compile_kwargs={"literal_binds": True}))
    _before, _where, rest = text.partition("\nWHERE ")
    # The driver wants a per cent sign twice; without a connection, literals double the backslash.
    return rest.replace("%%", "%").replace("\\\\_", "\\_")


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_the_sql_is_what_reviewers_agreed_to(dialect: str) -> None:
    parts = [f"-- {written}\n{sql_of(written, dialect)}\n" for written in (*FIELDS, *EVENTS, *TREES)]
    parts.append(f"-- spent and late acts left out: {EVENTS[0]}\n{sql_of(EVENTS[0], dialect, strict=True)}\n")
    path = GOLDEN / f"conditions.{dialect}.sql"
    if WRITE:
        path.write_text("\n".join(parts), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "\n".join(parts)


def test_every_operator_is_shown() -> None:
    assert [name for name in OPERATORS if not any(f", {name}: " in written for written in FIELDS)] == []

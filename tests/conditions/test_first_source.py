"""First and last source in conditions, of today and of the past, and as the cohorts of the report."""

from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.funnel import cohorts
from leadflow.conditions.compile import compile_condition
from leadflow.conditions.past import sources_as_of
from leadflow.conditions.sources import SOURCE_FIELDS, Sources, live_sources
from leadflow.conditions.tree import FieldLeaf
from leadflow.conditions.vocabulary import Vocabulary
from leadflow.intake.people import upsert_people
from leadflow.intake.person import PersonReader
from leadflow.intake.sources import Source
from leadflow.intake.touches import keep_touches, settle_sources
from leadflow.playbook.vocabulary import builtin_fields
from tests.build import NIGHT, playbook

BOOK = playbook()
WORDS = Vocabulary(fields=builtin_fields(stages=(), criteria=(), segments=()), events={})
DAY = timedelta(days=1)
GOOGLE, NEWS = Source(source="google", medium="organic"), Source(source="news", campaign="spring")


@pytest.fixture
def people(session: Session) -> dict[str, int]:
    """Ana came from Google and, a day later, by a newsletter; Bob from nowhere we saw, met at a fair."""
    said = [{"email": "ana@b.example", "source": "form"}, {"email": "bob@b.example", "source": "fair"}]
    reader = PersonReader(fields=BOOK.fields, zone=UTC)
    done = upsert_people(session, BOOK, [reader.read(one) for one in said], key="k", now=NIGHT, source="import")
    ana, bob = done
    for night, visit in ((1, GOOGLE), (2, NEWS)):
        keep_touches(session, [(ana.identity_id, NIGHT + night * DAY, visit)])
        settle_sources(session, [ana.lead_id, bob.lead_id], NIGHT + night * DAY)
    return {"ana": ana.lead_id, "bob": bob.lead_id}


def who(session: Session, sources: Sources, field: str, value: str) -> list[Any]:
    leaf = FieldLeaf(field=field, operator="is", value=value)
    asked = compile_condition(leaf, sources, NIGHT + 9 * DAY, WORDS)
    found = select(sources.lead_id).select_from(sources.from_).where(asked, sources.known)
    return list(session.scalars(found.order_by(sources.lead_id)))


def test_a_condition_asks_for_each_of_them(session: Session, people: dict[str, int]) -> None:
    live = live_sources(WORDS)
    assert who(session, live, "first_source", "google") == [people["ana"]]
    assert who(session, live, "last_campaign", "spring") == [people["ana"]]
    assert who(session, live, "last_source", "fair") == who(session, live, "first_source", "fair") == [people["bob"]]


def test_the_past_has_the_source_of_its_day(session: Session, people: dict[str, int]) -> None:
    before, between = (sources_as_of(WORDS, NIGHT + n * DAY + DAY / 2) for n in (0, 1))
    assert who(session, before, "first_source", "form") == [people["ana"]]
    assert who(session, between, "last_source", "google") == [people["ana"]]
    assert set(SOURCE_FIELDS) <= set(before.fields)


@pytest.mark.usefixtures("people")
def test_the_report_counts_people_by_their_first_source(session: Session) -> None:
    found = cohorts(session, by="source", stages=("discovery",), zone=ZoneInfo("Europe/Paris"))
    assert {cohort.name: cohort.people for cohort in found} == {"google": 1, "fair": 1, "total": 2}

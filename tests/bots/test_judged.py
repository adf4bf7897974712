"""People and machines are told apart on worlds that no rule was tuned on, and by the tables as in plain Python."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from leadflow.pipeline.engage import engage_leads
from leadflow.types import CLICK_WEIGHT, EVERYONE, Click
from tests.bots.confusion import rows
from tests.bots.corpus import draw
from tests.bots.judged import Judged, judged
from tests.bots.stored import first, in_parts, said_of, store, visit
from tests.bots.world import Actor
from tests.build import playbook
from tests.soak import SOAK

LATE = datetime(2026, 7, 1, tzinfo=UTC)
#: Rules were tuned on worlds below 100 alone.
UNSEEN = range(1_000, 1_040 if SOAK else 1_004)


def session_verdicts(rows: Iterable[Judged]) -> Iterator[tuple[Actor, set[Click]]]:
    """Who acted in each session, and what was said of its visits."""
    by_session: dict[int, tuple[Actor, set[Click]]] = {}
    for row in rows:
        by_session.setdefault(id(row.session), (row.session.actor, set()))[1].add(row.said.click)
    yield from by_session.values()


def test_machines_are_told_from_people_in_worlds_the_rules_never_saw() -> None:
    """By visits; and by sessions, where a machine counts as caught only when all its visits are."""
    visits: Counter[tuple[bool, bool]] = Counter()
    sessions: Counter[tuple[bool, bool]] = Counter()
    for seed in UNSEEN:
        rows = list(judged(draw(seed)))
        visits.update((row.session.actor is Actor.PERSON, row.said.click is Click.MACHINE) for row in rows)
        for actor, said in session_verdicts(rows):
            is_person = actor is Actor.PERSON
            sessions[is_person, Click.MACHINE in said if is_person else said == {Click.MACHINE}] += 1
    for counted in (visits, sessions):
        caught, missed, wronged = counted[False, True], counted[False, False], counted[True, True]
        assert caught / (caught + wronged) >= 0.98
        assert caught / (caught + missed) >= 0.90


def test_the_tables_say_of_every_visit_what_plain_python_says_whatever_the_order_it_came_in(session: Session) -> None:
    corpus = draw(7) if SOAK else first(draw(7), 300)
    requests = store(session, corpus)
    for night, part in enumerate(in_parts(requests, 3, seed=1)):
        visit(session, part)
        engage_leads(session, playbook(), LATE + timedelta(days=night), EVERYONE)
    by_request = {id(row.request): (row.said.rule, CLICK_WEIGHT[row.said.click]) for row in judged(corpus)}
    assert said_of(session) == {number: by_request[id(request)] for number, request in requests.items()}


@pytest.mark.skipif(not SOAK, reason="forty worlds, under make soak")
def test_the_page_that_explains_the_rules_shows_the_confusion_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "why" / "clicks.md").read_text()
    assert [row for row in rows(range(1_000, 1_040)) if row not in page] == []

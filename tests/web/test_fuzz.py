"""Odd bodies at every door that takes one: none is answered with a 5xx, no good one is lost, two databases agree."""

import json
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.db import Instant, make_engine
from leadflow.models import intake, metadata, suppression
from leadflow.pipeline.capture import capture_intake
from leadflow.types import EVERYONE, micros
from leadflow.web import inbound
from leadflow.web.allowance import Allowance
from leadflow.web.lane import Lane
from leadflow.web.site import create_site
from tests.soak import SOAK
from tests.web.bodies import Post, posts, unsubscribes
from tests.web.direct import asked_directly
from tests.web.wide import KEY, PEOPLE, open_wide

#: Thrown at each of the two databases.
BODIES = 100_000 if SOAK else 10_000


@pytest.fixture
def both(sqlite_url: str, postgres_url: str, tmp_path: Path) -> Iterator[list[App]]:
    """The same workspace on either database."""
    engines = [make_engine(url) for url in (sqlite_url, postgres_url)]
    event.listen(engines[0], "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    yield [open_wide(engine, tmp_path) for engine in engines]
    for engine in engines:
        engine.dispose()


def throw(both: list[App], monkeypatch: pytest.MonkeyPatch, thrown: list[Post]) -> Counter[int]:
    """Each body to both sites; how often which answer came, the same from both."""
    turn = count()
    # What is stored is what counts here; sweeps have their own tests.
    monkeypatch.setattr(Lane, "wake", lambda _lane: None)
    monkeypatch.setattr(inbound, "hear", lambda _app: None)
    monkeypatch.setattr(Allowance, "wait", lambda *_who: 0.0)
    monkeypatch.setattr(secrets, "token_hex", lambda size=16: f"{next(turn) // 2:0{2 * size}x}")
    answers: Counter[int] = Counter()
    with asked_directly(monkeypatch, *map(create_site, both)) as sites:
        for post in thrown:
            said = [site.ask("POST", post.door, post.body, post.headers, ip=post.ip).status for site in sites]
            assert said[0] == said[1] < 500, (said, post)
            answers[said[0]] += 1
    return answers


def rows_of(engine: Engine) -> dict[str, Counter[tuple[Any, ...]]]:
    """Every row of every table, but for the ids that databases count and the instants at which they were asked."""
    found = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            told = [column for column in table.c if not isinstance(column.type, Instant) and not _is_counted(column)]
            if told:
                found[table.name] = Counter(tuple(map(_plain, row)) for row in connection.execute(select(*told)))
    return found


def _is_counted(column: Any) -> bool:
    return column.name in ("id", "seed") or (column.name.endswith("_id") and column.name != "external_id")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.mark.no_cover
@pytest.mark.soak
def test_no_body_is_answered_with_a_5xx_no_good_one_is_lost_and_both_databases_agree(
    both: list[App], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, chance = datetime.now(UTC), random.Random(20_260_323)
    coming = posts(chance, micros(now))
    thrown = [next(coming) for _ in range(BODIES)]
    chance.shuffle(thrown)
    answers = throw(both, monkeypatch, [*thrown, *unsubscribes()])
    # Some were taken in, some refused: the bodies are not all of one kind.
    assert {200, 202, 204, 207, 303, 400, 401, 403, 422} <= answers.keys()

    wanted = [post.word for post in thrown if post.word]
    assert len(wanted) > BODIES / 10
    for app in both:
        with Session(app.engine) as session, session.begin():
            bodies = b"\n".join(bytes(body) for body in session.scalars(select(intake.c.body)))
            assert [word for word in wanted if bodies.count(word.encode()) != 1] == []
            capture_intake(session, app.playbook, now + timedelta(hours=1), EVERYONE, key=KEY)
            assert session.scalar(select(func.count()).select_from(suppression)) == PEOPLE
    assert rows_of(both[0].engine) == rows_of(both[1].engine)

"""Token buckets: whatever workers take and give back, no stretch of time sees more than the rate and one bucketful."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Engine, insert, select, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.db import database_now
from leadflow.models import bucket
from leadflow.pipeline.buckets import Bucket, at_a_rate, give_back, take
from leadflow.pipeline.budget import budget_of, limit_of
from leadflow.playbook.model import WarmUp
from leadflow.types import HOUR, MINUTE, SECOND, Rate
from tests.counting import counting
from tests.emptied import empty

FIFTY = at_a_rate("to gmail.com", Rate(n=50, per=SECOND))
#: So slow that what a test takes meanwhile does not matter.
SLOW = Bucket(name="slow", size=10, rate=Rate(n=1, per=HOUR))

acts = st.one_of(
    st.tuples(st.just("take"), st.integers(1, 80)),
    st.tuples(st.just("give"), st.integers(1, 40)),
    st.tuples(st.just("wait"), st.integers(1, 3 * SECOND)),
)


def later(session: Session, name: str, micros: int) -> None:
    """As if so much time had passed since the bucket was looked at last."""
    filled = type_coerce(bucket.c.filled_at, BigInteger)
    session.execute(update(bucket).where(bucket.c.name == name).values(filled_at=filled - micros))


def clock(session: Session) -> int:
    return session.scalars(select(database_now())).one()


@given(st.lists(acts, max_size=25))
def test_no_window_sees_more_than_a_bucketful_and_the_rate_in_its_time(
    engine: Engine, story: Sequence[tuple[str, int]]
) -> None:
    empty(engine)
    told = [(0, 0)]
    with Session(engine) as session, session.begin():
        out, passed, began = 0, 0, clock(session)
        for act, n in story:
            if act == "take":
                got = take(session, FIFTY, n).n
                assert 0 <= got <= min(n, FIFTY.size)
                out += got
            elif act == "give":
                give_back(session, FIFTY, min(n, out))
                out -= min(n, out)
            else:
                later(session, FIFTY.name, n)
                passed += n
            told.append((clock(session) - began + passed, out))
    for start, (at, had) in enumerate(told):
        # The clock of SQLite has milliseconds.
        assert all(has - had <= FIFTY.size + 50 * (then - at + 2000) / SECOND for then, has in told[start:]), (
            f"{told} after {start}"
        )


def test_a_bucket_is_full_at_first_and_fills_at_its_rate(session: Session) -> None:
    assert take(session, FIFTY, 80).n == 50
    assert take(session, FIFTY, 80, least_of=10).n == 0
    later(session, FIFTY.name, SECOND // 2)
    assert 25 <= take(session, FIFTY, 80).n <= 30
    later(session, FIFTY.name, HOUR)
    assert take(session, FIFTY, 80).n == 50


def test_who_gets_nothing_is_told_how_long_to_wait(session: Session) -> None:
    take(session, FIFTY, 50)
    assert take(session, FIFTY, 20, least_of=10).wait == pytest.approx(0.2, abs=0.1)
    take(session, SLOW, 10)
    assert take(session, SLOW, 2, least_of=2).wait == pytest.approx(7200, abs=10)


def test_a_slow_rate_has_one_token_and_no_burst(session: Session) -> None:
    slow = at_a_rate("file", Rate(n=10, per=MINUTE))
    assert (slow.size, take(session, slow, 5).n, take(session, slow, 5).n) == (1, 1, 0)
    later(session, slow.name, 6 * SECOND)
    assert take(session, slow, 5).n == 1


def test_what_is_given_back_never_makes_more_than_a_bucketful(session: Session) -> None:
    take(session, SLOW, 4)
    give_back(session, SLOW, 9)
    assert take(session, SLOW, 30).n == 10


def test_a_clock_put_back_stops_nobody_and_a_clock_put_forward_fills_one_bucket(session: Session) -> None:
    take(session, FIFTY, 50)
    later(session, FIFTY.name, -24 * HOUR)
    assert take(session, FIFTY, 50).n <= 5
    later(session, FIFTY.name, SECOND)
    assert take(session, FIFTY, 80).n == 50


def test_taking_is_one_statement(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        take(session, FIFTY, 1)
        with counting(engine) as texts:
            take(session, FIFTY, 5)
            take(session, FIFTY, 500)
    assert len(texts) == 2


def test_a_new_domain_has_so_many_a_day_and_more_each_day() -> None:
    rule = WarmUp(since=date(2026, 3, 2), first_day=200, growth=30, until=1000)
    assert [limit_of(rule, date(2026, 3, day)) for day in (1, 2, 3, 4, 8, 9)] == [None, 200, 260, 338, 963, None]
    budget = budget_of(rule, date(2026, 3, 3))
    assert budget == Bucket(name="warm-up 2026-03-03", size=260)


def test_a_day_is_used_up_once_and_does_not_fill_again(session: Session) -> None:
    day = Bucket(name="warm-up 2026-03-03", size=260)
    assert [take(session, day, 200).n for _claim in range(3)] == [200, 60, 0]
    session.execute(insert(bucket), {"name": "warm-up 2026-03-02", "spent": 0, "filled_at": 0})
    later(session, day.name, 24 * HOUR)
    assert take(session, day, 1) == (0, float("inf"))
    give_back(session, day, 5)
    assert take(session, day, 9).n == 5

"""Word that comes of itself: a provider's news, or a worker that lives after all, has the better of every guess."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from leadflow.models import message
from leadflow.pipeline.deliver_answers import Result
from leadflow.pipeline.deliver_results import record_results
from leadflow.pipeline.engage_news import take_news
from leadflow.types import MessageState, Reason
from tests.build import NIGHT
from tests.pipeline.doubts import Log, add_doubt, delivered, pass_minutes, post, reconcile, states
from tests.pipeline.mails import row


@pytest.mark.parametrize("state", ["sending", "unknown", "planned"])
def test_news_that_no_sweep_has_read_is_proof(engine: Engine, session: Session, state: str) -> None:
    add_doubt(session, 1, state, negatives=2)
    post(session, delivered("somebody else's"), delivered("a1"))
    post(session, body=b'no JSON, "lf_attempt": "a1"')
    session.commit()
    log = Log()
    counts = reconcile(engine, log)
    after = row(engine, 1)
    assert (counts["told"], after.state, after.provider_id, log.asked) == (1, "accepted", "sg-9", [])
    assert after.sent_at is not None


def test_news_of_an_attempt_that_was_replaced_moves_nothing(engine: Engine, session: Session) -> None:
    add_doubt(session, 1, minutes=1)
    post(session, delivered("the attempt before"))
    session.commit()
    reconcile(engine, Log())
    assert states(engine, [1]) == ["sending"]


def test_a_worker_that_lives_after_all_has_the_word_over_a_guess(engine: Engine, session: Session) -> None:
    """Given up as unknown while it stood still: what it heard is certain."""
    for number in (1, 2, 3):
        add_doubt(session, number, owner="slow")
    session.commit()
    reconcile(engine, None)
    assert states(engine, [1, 2, 3]) == ["unknown"] * 3
    answers = [("accepted", None), ("failed", Reason.REFUSED), ("planned", None)]
    results = [
        Result(id=n, attempt_id=f"a{n}", state=MessageState(to), reason=why, send_at=0)
        for n, (to, why) in enumerate(answers, start=1)
    ]
    with Session(engine) as late, late.begin():
        record_results(late, {"slow": results})
    assert states(engine, [1, 2, 3]) == ["accepted", "failed", "unknown"]


def test_news_at_night_takes_back_what_was_planned_again(engine: Engine, session: Session) -> None:
    add_doubt(session, 1)
    session.commit()
    for _question in range(2):
        reconcile(engine, Log())
        pass_minutes(engine, 31)
    assert states(engine, [1]) == ["planned"]
    post(session, delivered("a1"), received_at=NIGHT - timedelta(minutes=1))
    session.commit()
    with Session(engine) as night, night.begin():
        take_news(night, NIGHT)
    after = row(engine, 1)
    assert (after.state, after.sent_at is None, after.delivery) == ("accepted", False, "delivered")


def test_news_of_the_attempt_before_proves_nothing_of_the_next(engine: Engine, session: Session) -> None:
    add_doubt(session, 1)
    session.execute(update(message).values(attempt_id="a1-again", provider_id="sg-9"))
    post(session, delivered("a1"), delivered("", "sg-9.x"), received_at=NIGHT - timedelta(minutes=1))
    session.commit()
    with Session(engine) as night, night.begin():
        take_news(night, NIGHT)
    assert states(engine, [1]) == ["sending"]

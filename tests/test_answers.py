"""What a salesperson says, and what it does."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.errors import UsageError
from leadflow.intake.answers import Answered, answer, list_handovers
from leadflow.models import engagement, escalation, event, event_inbox, growth, lead_state, scoring_rule
from leadflow.playbook.model import LifecycleRules
from leadflow.types import HOUR, Answer, Lifecycle, micros
from tests.build import NIGHT, journey
from tests.pipeline.sales import open_handover, selling

NOW = NIGHT + timedelta(hours=6)
RULES = LifecycleRules(
    prospect_when=None, disqualify_reasons=("not_a_fit",), disqualify_after_rejections=3, earlier_acts_score=30
)
PLAYBOOK = selling(journey=journey(lifecycle=RULES))


def say(session: Session, said: Answer, **more: Any) -> Answered:
    """Answer hand-over 1."""
    return answer(session, PLAYBOOK, NOW, 1, said, **more)


def state(session: Session) -> dict[str, Any]:
    return dict(session.execute(select(lead_state)).one()._mapping)


def test_accepting_makes_a_prospect_who_stays_with_sales(session: Session) -> None:
    open_handover(session, 1)

    done = say(session, Answer.ACCEPT)

    assert (done.state, done.lifecycle) == ("accepted", Lifecycle.PROSPECT)
    found = session.execute(select(escalation)).one()
    assert (found.answered_at, found.closed_at, state(session)["with_sales"]) == (NOW, None, True)


def test_where_sales_may_not_make_prospects_accepting_makes_none(session: Session) -> None:
    open_handover(session, 1)
    rules = LifecycleRules(prospect_when=None, prospect_when_sales_accepts=False)

    done = answer(session, selling(journey=journey(lifecycle=rules)), NOW, 1, Answer.ACCEPT)

    assert done.lifecycle is Lifecycle.LEAD


def test_later_comes_back_on_the_morning_of_that_day(session: Session) -> None:
    open_handover(session, 1)

    say(session, Answer.LATER, again_on=date(2026, 4, 20))

    found = session.execute(select(escalation)).one()
    assert (found.state, found.again_at) == ("later", datetime(2026, 4, 20, 7, tzinfo=UTC))


def test_a_rejected_prospect_is_a_lead_again_and_rests(session: Session) -> None:
    open_handover(session, 1, state_of_lead={"lifecycle": "prospect"})

    done = say(session, Answer.REJECT, reason="no_project")

    assert done.lifecycle is Lifecycle.LEAD
    found = session.execute(select(escalation)).one()
    assert (found.answer_reason, found.closed_at) == ("no_project", NOW)
    now = state(session)
    assert (now["with_sales"], now["hot"], now["spent_before"]) == (False, 0, NOW)
    assert now["rest_until"] == NOW + timedelta(days=60)


def test_a_reason_of_the_list_disqualifies(session: Session) -> None:
    open_handover(session, 1, state_of_lead={"lifecycle": "prospect"})

    assert say(session, Answer.REJECT, reason="not_a_fit").lifecycle is Lifecycle.DISQUALIFIED

    assert state(session)["with_sales"] is False


def test_the_third_rejection_disqualifies(session: Session) -> None:
    open_handover(session, 1, number=3)
    old = {"lead_id": 1, "rule": "hot-profile", "rep": "Marc", "route": "", "opened_at": NIGHT, "due_at": NIGHT}
    closed = {"state": "rejected", "closed_at": NIGHT, "playbook": "p"}
    session.execute(insert(escalation), [{"id": 10 + n, "number": n} | old | closed for n in (1, 2)])

    assert say(session, Answer.REJECT, reason="no_project").lifecycle is Lifecycle.DISQUALIFIED


def test_won_makes_a_customer_and_is_an_act(session: Session) -> None:
    open_handover(session, 1, state="accepted", answered_at=NIGHT, state_of_lead={"lifecycle": "prospect"})

    done = say(session, Answer.WON, amount=1_200_000)

    assert (done.state, done.lifecycle) == ("won", Lifecycle.CUSTOMER)
    found = session.execute(select(escalation)).one()
    assert (found.amount, found.answered_at, found.closed_at) == (1_200_000, NIGHT, NOW)
    assert session.scalars(select(event.c.kind)).all() == ["deal_won"]
    assert state(session)["with_sales"] is False


def test_lost_makes_a_lead_again_with_a_rest(session: Session) -> None:
    open_handover(session, 1, state="accepted", state_of_lead={"lifecycle": "prospect"})

    done = say(session, Answer.LOST, reason="price")

    assert (done.state, done.lifecycle) == ("lost", Lifecycle.LEAD)
    assert session.scalars(select(event.c.kind)).all() == ["deal_lost"]
    assert state(session)["rest_until"] == NOW + timedelta(days=60)


def test_earlier_acts_keep_the_share_of_their_points_that_the_journey_leaves(session: Session) -> None:
    open_handover(session, 1)
    hour = micros(NIGHT) // HOUR
    rule = {"id": 7, "name": "prices-page", "fingerprint": "f", "half_life": 336, "landmark": hour}
    session.execute(insert(scoring_rule), rule)
    session.execute(insert(growth), {"half_life": 336, "hour": hour, "g": 1 << 20})
    session.execute(insert(engagement), {"lead_id": 1, "rule": 7, "total": 2000 << 20})

    say(session, Answer.REJECT, reason="no_project")

    taken = session.execute(select(event)).one()
    assert (taken.kind, taken.path, taken.weight) == ("recycled", "prices-page", 1400)
    assert (taken.occurred_at, taken.received_at) == (NIGHT - timedelta(minutes=15), NOW)
    assert session.scalars(select(event_inbox.c.event_id)).all() == [taken.id]


@pytest.mark.parametrize(
    ("said", "more", "words"),
    [
        (Answer.REJECT, {}, "one of: no_project, not_a_fit, too_late"),
        (Answer.REJECT, {"reason": "bored"}, "one of: no_project, not_a_fit, too_late"),
        (Answer.LOST, {"reason": "no_project"}, "one of: price, competitor"),
        (Answer.ACCEPT, {"reason": "price"}, "accept takes no reason"),
        (Answer.ACCEPT, {"amount": 5}, "only won takes an amount"),
        (Answer.ACCEPT, {"again_on": date(2026, 4, 1)}, "only later takes a day"),
        (Answer.ACCEPT, {"who": "Nobody"}, "One of: Inès, Marc, Sofia, Hélène"),
        (Answer.WON, {}, "won needs the amount"),
        (Answer.WON, {"amount": -1}, "won needs the amount"),
        (Answer.LATER, {}, "later needs a day"),
        (Answer.LATER, {"again_on": date(2026, 3, 22)}, "later needs a day to come back, after today"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_with_the_words_allowed(
    session: Session, said: Answer, more: dict[str, Any], words: str
) -> None:
    open_handover(session, 1)

    with pytest.raises(UsageError, match=words):
        say(session, said, **more)

    assert session.scalar(select(escalation.c.state)) == "waiting"


def test_a_closed_hand_over_takes_no_answer(session: Session) -> None:
    open_handover(session, 1, state="lapsed", closed_at=NIGHT)

    with pytest.raises(UsageError, match="hand-over 1 is closed: lapsed"):
        say(session, Answer.ACCEPT)


def test_a_hand_over_nobody_opened_is_refused(session: Session) -> None:
    with pytest.raises(UsageError, match="there is no hand-over 1"):
        say(session, Answer.ACCEPT)


def test_accepting_twice_is_refused_but_a_colleague_may_take_over(session: Session) -> None:
    open_handover(session, 1)
    say(session, Answer.ACCEPT)

    with pytest.raises(UsageError, match="accepted already"):
        say(session, Answer.ACCEPT)
    say(session, Answer.ACCEPT, who="Sofia")

    assert session.scalar(select(escalation.c.rep)) == "Sofia"


def test_nobody_makes_a_prospect_of_a_customer(session: Session) -> None:
    open_handover(session, 1, state_of_lead={"lifecycle": "customer"})

    with pytest.raises(UsageError, match="no such move exists"):
        say(session, Answer.ACCEPT)


def test_the_list_shows_the_most_urgent_first_and_who_is_late(session: Session) -> None:
    open_handover(session, 1, due_at=NOW + timedelta(hours=1), lead={"first_name": "Zoé"})
    open_handover(session, 2, due_at=NOW, rep="Sofia")
    open_handover(session, 3, closed_at=NIGHT, state="won")

    found = list_handovers(session, NOW)

    assert [(one.id, one.late, one.rep) for one in found] == [(2, True, "Sofia"), (1, False, "Marc")]
    assert [one.first_name for one in list_handovers(session, NOW, rep="Marc")] == ["Zoé"]

"""People say no while their mail is on its way: nobody whose no was committed before the intent is mailed."""

import random
import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.db import database_now
from leadflow.intake.suppressions import suppress
from tests.build import NIGHT
from tests.faults.fire import Fire
from tests.faults.outbox import NOTHING, rows


def test_a_no_that_was_committed_before_the_intent_is_heard(fire: Fire) -> None:
    ids = fire.plan(150)
    team = [fire.worker(rest=0.0, batch=5) for _one in range(3)]
    drawn, said = random.Random(5), {}
    for one in drawn.sample(ids, 90):
        with Session(fire.engine) as session, session.begin():
            suppress(session, [{"address_hash": f"h{one}", "reason": "unsubscribed", "at": NIGHT, "source": "page"}])
        with fire.engine.connect() as connection:
            said[one] = connection.scalars(select(database_now())).one()
        if one % 30 == 0:
            fire.strike(team.pop())
            team.append(fire.worker(rest=0.0, batch=5))
        time.sleep(0.003)
    account = fire.settle()
    known = rows(fire.engine)
    arrived = {one.message for one in fire.accepted()}
    too_late = [of for of, at in said.items() if of in arrived and known[of].intent_at.timestamp() * 1e6 > at]
    assert (too_late, account.faults) == ([], NOTHING)
    heard = [of for of in said if known[of].state == "suppressed"]
    assert {known[of].reason for of in heard} <= {"unsubscribed"}
    assert heard
    assert not arrived & set(heard)

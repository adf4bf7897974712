"""Random SIGKILLs of workers while the provider has a rough evening: nothing lost, nothing twice, nothing stuck."""

import pytest

from leadflow.pipeline.deliver_answers import MAX_ATTEMPTS
from tests.faults.conftest import Light, on_one_database
from tests.faults.fire import Fire
from tests.faults.manners import BRISK, ROUGH
from tests.faults.outbox import NOTHING, states
from tests.faults.roles import BATCH
from tests.soak import SOAK

#: On each database.
KILLS = 1_000 if SOAK else 48
SMTP_KILLS = 200 if SOAK else 20
#: What a mail server does besides; a login refused or a line cut at the envelope is an outage.
GRUFF = {
    "refuse": 0.02,
    "busy": 0.03,
    "error": 0.02,
    "reset": 0.03,
    "close": 0.01,
    "accepted-reset": 0.03,
    "slow": 0.02,
}


def test_workers_killed_at_any_moment_lose_and_repeat_nothing(fire: Fire) -> None:
    fire.suite = "workers killed, SendGrid"
    fire.world(mix=ROUGH if SOAK else BRISK, seed=7)
    fire.plan(150)
    fire.storm(KILLS)
    assert fire.settle().faults == NOTHING
    assert fire.is_quiet()


def test_with_plain_smtp_what_nobody_can_tell_is_held_and_nothing_comes_twice(fire: Fire) -> None:
    fire.suite = "workers killed, SMTP, hold"
    fire.world(mix=GRUFF, seed=8)
    fire.plan(100)
    fire.storm(SMTP_KILLS, provider="smtp")
    account = fire.settle(unknown_is_final=True)
    assert account.faults == NOTHING
    # The mails in the workers' hands when they were killed, of two claims at most, and no others.
    assert 0 < account.states["unknown"] <= fire.kills * 2 * BATCH


@pytest.mark.parametrize(("choice", "on"), on_one_database("resend"))
def test_with_plain_smtp_and_resend_every_mail_arrives_unless_all_its_attempts_were_struck(
    light: Light, choice: str, on: str
) -> None:
    with light(on) as fire:
        # Twice is what was chosen here: no line of the table.
        fire.counts = False
        fire.world(mix=GRUFF, seed=9)
        fire.plan(60)
        fire.storm(SMTP_KILLS // 2, provider="smtp", delivery={"on_unknown": choice})
        # One attempt in four stays in doubt under fire: of 1,400 messages one or none has no attempt left.
        fire.spent = MAX_ATTEMPTS
        account = fire.settle()
        left = states(fire.engine, MAX_ATTEMPTS)
        arrived = {one.message for one in fire.accepted()}
    assert (len(account.lost), left["unknown"], len(account.stuck)) == (0, 0, left["spent"])
    assert left["spent"] <= account.planned / 100
    assert account.states["accepted"] <= len(arrived)

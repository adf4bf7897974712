"""A worker is struck at each named point of a delivery; what it had in hand ends once, and in one place.

All points of one blow and database burn in one fire, each with a worker and messages of its own: the seconds that
leases and graces take are waited for once.
"""

import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.fire import Fire
from tests.faults.outbox import NOTHING, Account
from tests.faults.world import kill, lives, stands_still, wait_for

#: Each point: what its victim is told, or what the world does to it.
KILLED: Mapping[str, Mapping[str, str]] = {
    "after claim": {"point": "after-claim"},
    "before the intent is committed": {"point": "before-intent"},
    "after intent": {"point": "after-intent"},
    "before the first byte": {"point": "before-send"},
    "mid-body": {"fault": "kill-mid-body"},
    "after reading, before accepting": {"fault": "kill-before-accept"},
    "after accept": {"fault": "kill-after-accept"},
    "after answering": {"fault": "kill-after-response"},
    "after response": {"point": "after-response"},
    "before mark": {"point": "before-mark"},
    "after mark": {"point": "after-mark"},
    "during reconcile, before it is committed": {"point": "before-reconcile", "fault": "accepted-reset"},
    "during reconcile, once it is committed": {"point": "after-reconcile", "fault": "error"},
}
#: Where a process that stands still holds no lock of the database that the others need.
STOPPED: Mapping[str, Mapping[str, str]] = {
    "after claim": {"point": "after-claim"},
    "after intent": {"point": "after-intent"},
    "before the first byte": {"point": "before-send"},
    "mid-body": {"fault": "stop-mid-body"},
    "after accept": {"fault": "stop-after-accept"},
    "after answering": {"fault": "stop-after-response"},
    "after a refusal": {"point": "after-response", "fault": "busy"},
    "after response": {"point": "after-response"},
}
BLOWS = {"kill": KILLED, "stop": STOPPED}
_EACH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Burnt:
    """What one fire left of each point: whether its victim was struck there, and the account of its messages."""

    struck: Mapping[str, bool]
    accounts: Mapping[str, Account]


def strike_at_every_point(fire: Fire, blow: str, points: Sequence[str] = (), **told: Any) -> Burnt:
    """A victim a point; once all are struck two others finish the work; who was stopped then goes on, too late."""
    how = {point: BLOWS[blow][point] for point in points or BLOWS[blow]}
    ids = {point: fire.plan(_EACH) for point in how}
    victims = {point: fire.victim(how[point], blow, scope=list(ids[point]), **told) for point in how}
    there = (lambda pid: not lives(pid)) if blow == "kill" else stands_still
    wait_for(lambda: all(there(pid) for pid in victims.values()))
    struck = {point: there(pid) for point, pid in victims.items()}
    fire.kills += blow == "kill" and sum("point" in one for one in how.values())
    for _other in range(2):
        fire.worker(**told)
    if blow == "stop":
        wait_for(fire.is_quiet)
        for pid in victims.values():
            kill(pid, signal.SIGCONT)
        # They wake up, and whatever they do next is done within this second.
        time.sleep(1.0)
    fire.settle()
    return Burnt(struck=struck, accounts={point: fire.account_of(ids[point]) for point in ids})


@pytest.mark.parametrize("blow", BLOWS)
def test_struck_at_each_point_what_it_had_in_hand_ends_once(blow: str, fire: Fire) -> None:
    burnt = strike_at_every_point(fire, blow)
    assert [point for point, was in burnt.struck.items() if not was] == []
    assert {point: there.faults for point, there in burnt.accounts.items() if there.faults != NOTHING} == {}
    assert {point for point, there in burnt.accounts.items() if there.states != {"accepted": _EACH}} == set()

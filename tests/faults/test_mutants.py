"""Every suite notices the mutant it is there for: wrong ways to deliver lose mail or repeat it under the same blows."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.faults.conftest import Light, on_one_database
from tests.faults.test_points import strike_at_every_point

#: Mutant → the blow and the point that unmask it, what its workers are told, and which fault it commits.
UNMASKED: Mapping[str, tuple[str, str, Mapping[str, Any], str]] = {
    "checkpoint at fetch": ("kill", "before the first byte", {"mutants": ["checkpoint-at-fetch"]}, "lost"),
    "send, then mark": ("kill", "after response", {"mutants": ["send-then-mark"]}, "duplicated"),
    "no fencing": ("stop", "after a refusal", {"mutants": ["no-fencing"]}, "duplicated"),
    "no freshness guard": (
        "stop",
        "before the first byte",
        {"constants": {"leadflow.pipeline.deliver_supply.FRESH": 1e9}},
        "duplicated",
    ),
    "grace shorter than the index is behind": (
        "kill",
        "after accept",
        {
            "lag": 0.0,
            "delivery": {"grace": 200_000},
            "constants": {
                "leadflow.pipeline.reconcile.CLIENT_TIMEOUT": 0,
                "leadflow.pipeline.reconcile.FRESHNESS": 0,
                "leadflow.pipeline.reconcile_rows.APART": 100_000,
            },
        },
        "duplicated",
    ),
}


@pytest.mark.parametrize(("mutant", "on"), on_one_database(*UNMASKED))
def test_a_wrong_way_to_deliver_is_noticed(mutant: str, on: str, light: Light) -> None:
    blow, point, told, fault = UNMASKED[mutant]
    with light(on) as fire:
        fire.counts = False
        fire.world(lag=3.0 if "index" in mutant else 0.1)
        burnt = strike_at_every_point(fire, blow, [point], **told)
    assert burnt.struck[point]
    assert len(getattr(burnt.accounts[point], fault)) > 0

"""What operators see in Prefect of a night that went well, of one that is held, and of one that failed."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.schemas import State

from flows.nightly import nightly
from tests.build import NIGHT
from tests.flows.conftest import PEOPLE
from tests.flows.test_flows import run_of

pytestmark = [
    pytest.mark.slow,
    # Prefect leaves a socket to the garbage collector; the fixture `swept` calls it while this holds.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def live(workspace: Path, flow: Any = nightly, **more: Any) -> State[Any]:
    given = {"workspace": str(workspace), "at": NIGHT.isoformat(), "slot": None} | more
    state: State[Any] = asyncio.run(flow(**given, return_state=True))
    return state


def brake(workspace: Path, sends_over: int) -> None:
    """Another limit in the workspace's file."""
    path = workspace / "config" / "leadflow.yaml"
    path.write_text(re.sub(r"sends_over: \d+", f"sends_over: {sends_over}", path.read_text()))


@pytest.mark.usefixtures("app")
def test_a_held_night_ends_paused_with_its_numbers(api: httpx.Client, workspace: Path) -> None:
    brake(workspace, 3)
    state = live(workspace)
    assert state.is_paused()
    expected = f"brake: {PEOPLE} mails planned — leadflow approve 2026-03-23"
    assert state.message == expected
    run = run_of(api, workspace)
    assert (run["state"]["type"], run["state"]["message"]) == ("PAUSED", expected)

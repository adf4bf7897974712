"""Upkeep as a flow: finishes what a dead run left, so that nothing waits for a person."""

from typing import Any

from prefect import flow
from prefect.client.schemas import State

from flows.common import At, Slot, Workspace, clock, once, opened, run_name, slot_of, tag, words
from leadflow.app import run_upkeep


def _name() -> str:
    return run_name("upkeep")


@flow(name="upkeep", flow_run_name=_name, persist_result=False)
async def upkeep(workspace: Workspace = ".", at: At = None, slot: Slot = None) -> State[Any]:
    """Release lapsed claims, run the clocks, send what is due and forgotten."""
    app = opened(workspace)
    await tag(app, at)
    return once(
        app,
        "upkeep",
        slot_of(app, "upkeep", slot, at),
        lambda _claim: run_upkeep(app, clock(app, at)()),
        lambda counts: words(counts) or "nothing left over",
    )

"""Delivery as a flow: sends what is due, in batches claimed from the outbox, never a task a lead."""

from typing import Any

from prefect import flow
from prefect.client.schemas import State

from flows.common import At, Slot, Workspace, clock, once, opened, rename, run_name, slot_of, tag
from leadflow.app import Claim, counts_of, deliver_due, messages, seldom


def _name() -> str:
    return run_name("deliver")


@flow(name="deliver", flow_run_name=_name, persist_result=False)
async def deliver(workspace: Workspace = ".", at: At = None, slot: Slot = None) -> State[Any]:
    """Send every message that is due now."""
    app = opened(workspace)
    await tag(app, at)

    done: list[str] = []

    def act(claim: Claim) -> dict[str, Any]:
        sent = deliver_due(app, clock(app, at)(), progress=seldom(claim.renew))
        done.append(f"{sent.changed} of {sent.read}")
        return counts_of(sent)

    state = once(
        app,
        "deliver",
        slot_of(app, "deliver", slot, at),
        act,
        lambda counts: messages(counts["changed"]),
    )
    for came in done:
        await rename(came)
    return state

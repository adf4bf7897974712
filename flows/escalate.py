"""Hand-overs as a flow: the clocks of open ones, reminders, and the alerts that wait."""

from typing import Any

from prefect import flow
from prefect.client.schemas import State

from flows.common import At, Slot, Workspace, clock, once, opened, run_name, slot_of, tag, words
from leadflow.app import run_escalations


def _name() -> str:
    return run_name("escalate")


@flow(name="escalate", flow_run_name=_name, persist_result=False)
async def escalate(workspace: Workspace = ".", at: At = None, slot: Slot = None) -> State[Any]:
    """Remind, reassign and let lapse what sales has not answered; tell what waits to be told."""
    app = opened(workspace)
    await tag(app, at)
    return once(
        app,
        "escalate",
        slot_of(app, "escalate", slot, at),
        lambda _claim: run_escalations(app, clock(app, at)()),
        lambda counts: words(counts) or "nothing to tell",
    )

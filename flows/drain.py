"""One share of a delivery as a flow run on any worker: drains the outbox until nothing is due."""

from collections.abc import Mapping
from typing import Annotated, Any

from prefect import flow, runtime
from prefect.client.schemas import State
from pydantic import Field

from flows.batches import deliver_in_batches
from flows.common import At, Workspace, clock, once, opened, rename, run_name, tag, words
from leadflow.app import Claim, counts_of, draining_at_sigterm, messages, stop_asked

Of = Annotated[str, Field(description="The job and slot that shares its delivery out.")]
Share = Annotated[str, Field(description="Which share of how many.")]


def share_name() -> str:
    """`drain 2026-03-23 09:00 · 1 of 2`."""
    return f"{run_name('drain')} · {runtime.flow_run.parameters['share']}"


@flow(name="drain", flow_run_name=share_name, persist_result=False)
async def drain(of: Of, share: Share, workspace: Workspace = ".", at: At = None) -> State[Any]:
    """Send what is due beside other runs, each taking the next few hundred mails from the outbox."""
    app = opened(workspace)
    await tag(app, at)
    done: list[dict[str, Any]] = []

    def act(claim: Claim) -> dict[str, Any]:
        # As of now, not of the run that asked: a share that waited for a worker must not send what has expired since.
        counts = counts_of(deliver_in_batches(app, clock(app, at)(), progress=claim.renewed_by(None)))
        # What others have in hand does not make this share unfinished: who asked for it knows what is left in the end.
        done.append({name: n for name, n in counts.items() if name != "waiting"})
        return done[-1]

    with draining_at_sigterm():
        state = once(app, "drain", f"{of} · {share}", act, told)
    if done:
        await rename(messages(done[0]["changed"]))
    return state


def told(counts: Mapping[str, Any]) -> str:
    """What this share came to."""
    came = words({name: n for name, n in counts.items() if name not in ("read", "changed")}) or messages(0)
    return f"stopped · {came}" if stop_asked() else came

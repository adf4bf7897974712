"""Delivery shared out: runs on other workers drain the outbox; this one watches it, and sends when nobody does."""

import asyncio
import time
from collections.abc import Collection
from datetime import datetime

from prefect import get_client, runtime
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound

from flows.aside import aside
from flows.batches import Progress, deliver_in_batches
from flows.common import logger
from leadflow.app import App, Claim, Halt, Left, heeding, left_at, left_since, shares_at, stop_asked
from leadflow.types import EVERYONE, MessageState, Outcome, Phase, Scope

DRAIN = "drain/drain"
#: Seconds between two looks at the outbox.
LOOK = 1.0
#: Seconds without a change after which nobody is at work: a living worker records its answers more often.
QUIET = 30.0


def deliver_shared(
    app: App, now: datetime, claim: Claim, scope: Scope = EVERYONE, progress: Progress | None = None
) -> Outcome:
    """Send what is due at `now`: shared out where the schedule says so and there is enough, else right here."""
    shares = shares_at(app, now)
    if shares == 1 or not share_out(claim, shares):
        return deliver_in_batches(app, now, scope, progress)
    due = left_at(app, now).total
    with heeding():
        left, halts = await_drained(app, now, progress)
    return told_of(app, now, due, left, halts)


def share_out(claim: Claim, shares: int) -> bool:
    """Ask for the runs that drain the outbox; False when this server does not know how."""

    async def ask() -> None:
        for number in range(1, shares + 1):
            await ask_for(claim, f"{number} of {shares}")

    try:
        aside(lambda: asyncio.run(ask()))
    except ObjectNotFound:
        logger.warning("no deployment %s: sending in this run (`prefect deploy --all` makes it)", DRAIN)
        return False
    logger.info("shared out among %d runs", shares)
    return True


async def ask_for(claim: Claim, share: str) -> None:
    """One more run, and a name for the task that stands for it in this one."""
    given = {name: runtime.flow_run.parameters.get(name) for name in ("workspace", "at")}
    of = f"{claim.job} {claim.slot}"
    run = await arun_deployment(
        DRAIN,
        parameters={**given, "of": of, "share": share},
        # Until it begins and has its own.
        flow_run_name=f"drain for {runtime.flow_run.name} · {share}",
        timeout=0,
        as_subflow=True,
        # A night that is begun again asks for runs of its own; one that asks twice gets the same.
        idempotency_key=f"{of} {claim.attempt} {share}",
        tags=runtime.flow_run.tags,
    )
    if run.parent_task_run_id is not None:
        async with get_client() as client:
            await client.set_task_run_name(run.parent_task_run_id, f"share {share}")


def await_drained(app: App, now: datetime, progress: Progress | None) -> tuple[Left, set[str]]:
    """Watch the outbox, not the states of runs: a worker that died says nothing.

    What had not ended when it returns, and what shut the gate if this run tried by itself.
    """
    left, moved, helped, halts = left_at(app, now), time.monotonic(), False, set[str]()
    while left.total and not stop_asked():
        time.sleep(LOOK)
        before, left = left, left_at(app, now)
        if progress is not None:
            progress(max(0, before.total - left.total))
        if left != before:
            moved = time.monotonic()
        elif time.monotonic() - moved < QUIET:
            continue
        elif left.planned and not helped:
            logger.warning("nothing has moved for %.0f seconds: sending in this run", QUIET)
            halts = set(deliver_in_batches(app, now, progress=progress).counts) & {*Halt}
            left, moved, helped = left_at(app, now), time.monotonic(), True
        else:
            # Paced, or in the hands of somebody who shows no life: upkeep takes those back when the lease has lapsed.
            break
    return left, halts


def told_of(app: App, now: datetime, due: int, left: Left, halts: Collection[str]) -> Outcome:
    """What the runs have done together, as the outbox has it."""
    gone = left_since(app, now)
    others = max(0, due - left.total - sum(gone.values()))
    return Outcome(
        phase=Phase.DELIVER,
        read=due,
        changed=gone.get(MessageState.ACCEPTED, 0),
        counts={**gone, "not_sent": others, "waiting": left.total, **dict.fromkeys(halts, left.total)},
    )

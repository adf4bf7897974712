"""The sweep as a flow: one task a phase, counts in its results, the roll-up as an artifact."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.states import Completed, Failed, Paused

from flows.common import (
    At,
    Slot,
    Workspace,
    clock,
    ended,
    in_words,
    logger,
    night_name,
    once,
    opened,
    slot_of,
    tag,
    words,
)
from flows.fan_out import deliver_shared
from leadflow.app import (
    App,
    Claim,
    Sweep,
    broken_invariants,
    draining_at_sigterm,
    headline,
    held_at,
    hold_words,
    nightly_summary,
    sweeping,
)
from leadflow.types import Outcome, Phase, Scope

#: A night must not be lost to somebody's sweep by hand.
PATIENCE = timedelta(minutes=5)


def live(sweep: Sweep, phase: Phase) -> Outcome:
    """One phase as a task of its name."""

    # The sweep is closed over: as an argument Prefect would walk through the whole playbook in search of futures.
    @task(name=phase.value, task_run_name=phase.value, cache_policy=NO_CACHE, persist_result=False)
    def run() -> State[Outcome]:
        with in_words(phase.value):
            outcome = sweep.run(phase)
        counts = words(outcome.counts)
        told = f"read {outcome.read}, changed {outcome.changed}" + (f" · {counts}" if counts else "")
        logger.info("%s: %s", phase.value, told)
        return Completed(message=told, data=outcome)

    return run()  # type: ignore[return-value]


@task(name="summary", task_run_name="summary", cache_policy=NO_CACHE, persist_result=False)
def publish(markdown: str) -> None:
    """Put the roll-up on the night's own run, under a stable key."""
    create_markdown_artifact(key="nightly-summary", markdown=markdown, description="The night in numbers")


@flow(name="nightly", flow_run_name=night_name, persist_result=False)
async def nightly(workspace: Workspace = ".", at: At = None, slot: Slot = None) -> State[Any]:
    """Score, stage, segment, hand over and plan the night's mails for everyone."""
    app = opened(workspace)
    lived: list[Sweep] = []
    attempts: list[int] = []

    def night(claim: Claim) -> dict[str, Any]:
        attempts.append(claim.attempt)

        def shared(app: App, now: datetime, scope: Scope, progress: Callable[[int], None] | None) -> Outcome:
            return deliver_shared(app, now, claim, scope, claim.renewed_by(progress))

        with sweeping(app, clock(app, at), patience=PATIENCE, deliver=shared) as sweep:
            lived.append(sweep)
            for phase in Phase:
                claim.renew()
                live(sweep, phase)
            return sweep.counts

    await tag(app, at, f"playbook:{app.playbook.short}")
    with draining_at_sigterm():
        state = once(
            app, "nightly", slot_of(app, "nightly", slot, at), night, lambda _counts: headline(lived[0].outcomes)
        )
    return ending(app, lived[0], attempts[0]) if lived else state


def ending(app: App, sweep: Sweep, attempt: int) -> State[Any]:
    """Publish the roll-up, and say how the night ended: broken rules fail it, the brake leaves it waiting."""
    with in_words("summary"):
        broken, held = broken_invariants(app, sweep.now), held_at(app, sweep.now)
        words = hold_words(held) if held is not None else ""
        told = nightly_summary(app, sweep, attempt=attempt, broken=broken, held=words)
    publish(told.markdown)
    if broken:
        return Failed(message=f"invariant: {'; '.join(broken)}")
    if words:
        # Waits for `leadflow approve`, not for Prefect's own button: it never times out.
        return Paused(message=words)
    return ended(headline(sweep.outcomes, told.warnings), sweep.outcomes[-1].counts)

"""What `leadflow prefect setup` makes in Prefect: who hears of a night in trouble, what ends a silent run, the pool."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from prefect.automations import (
    AutomationCore,
    ChangeFlowRunState,
    EventTrigger,
    Posture,
    ResourceSpecification,
    SendNotification,
)
from prefect.blocks.notifications import SlackWebhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType, WorkQueue
from prefect.exceptions import ObjectAlreadyExists
from pydantic import SecretStr

#: What people see in the lists of automations and blocks, and what a second set-up finds again.
NAME = "leadflow: a night needs you"
BLOCK = "leadflow-operators"
STATES = ("Failed", "Crashed", "Late", "Paused", "TimedOut")
POOL = "leadflow"
#: Queues of the pool, in turn: what others wait for comes first.
QUEUES = ("shares", "jobs")

GONE = "leadflow: a run whose machine went away"
#: Three signs of life that did not come, at Prefect's own pace, and as long as a lease in our own database.
SILENT = timedelta(minutes=10)
#: With one of these a run has said how it ended.
_ENDED = ("Completed", "Unfinished", "Failed", "Crashed", "Cancelled", "Cancelling", "Paused", "Suspended", "TimedOut")

_SUBJECT = "leadflow: {{ flow_run.name }} — {{ flow_run.state.name }}"
_BODY = "{{ flow_run.name }} · {{ flow_run.state.name }}: {{ flow_run.state.message }}\n{{ flow_run|ui_url }}"


def alert_operators(url: str) -> bool:
    """Make the automation, or make it anew as it should be; False when there was one. `url` is an Apprise address."""
    # Of Prefect's blocks the one that hands any address on to Apprise as it is.
    block = SlackWebhook(url=SecretStr(url)).save(BLOCK, overwrite=True)
    assert isinstance(block, UUID)  # noqa: S101 - the synchronous form
    return _make(_automation(block))


def end_silent_runs() -> bool:
    """Make the automation that marks runs which show no life, or make it anew; False when there was one."""
    beat = "prefect.flow-run.heartbeat"
    return _make(
        AutomationCore(
            name=GONE,
            description="Made by `leadflow prefect setup`; set up again, it is as it was.",
            enabled=True,
            trigger=EventTrigger(
                after={beat},
                expect={beat, *(f"prefect.flow-run.{state}" for state in _ENDED)},
                match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
                for_each={"prefect.resource.id"},
                posture=Posture.Proactive,
                threshold=1,
                within=SILENT,
            ),
            actions=[ChangeFlowRunState(state=StateType.CRASHED, message="no sign of life; others finish its work")],
        )
    )


def _make(wanted: AutomationCore) -> bool:
    with get_client(sync_client=True) as client:
        found = client.read_automations_by_name(wanted.name)
        if not found:
            client.create_automation(wanted)
            return True
        client.update_automation(found[0].id, wanted)
        for other in found[1:]:
            client.delete_automation(other.id)
        return False


def make_pool() -> bool:
    """The work pool that prefect.yaml deploys to, with its queues in their turns; False when it is there."""
    with get_client(sync_client=True) as client:
        made = _is_new(lambda: client.create_work_pool(WorkPoolCreate(name=POOL, type="process")))
        for name in QUEUES:
            _is_new(partial(client.create_work_queue, name, work_pool_name=POOL))
        # A deployment made before the pool was set up has brought its queue, with the turn that was free then.
        found = sorted(client.read_work_queues(POOL), key=_turn)
        for turn, queue in enumerate(found, start=1):
            if queue.priority != turn:
                client.update_work_queue(queue.id, priority=turn)
    return made


def _turn(queue: WorkQueue) -> tuple[int, int]:
    """Ours first; the others, after them, as they were."""
    return QUEUES.index(queue.name) if queue.name in QUEUES else len(QUEUES), queue.priority or 0


def _is_new(make: Callable[[], object]) -> bool:
    try:
        make()
    except ObjectAlreadyExists:
        return False
    return True


def _automation(block: UUID) -> AutomationCore:
    nights: dict[str, str | list[str]] = {"prefect.resource.role": "flow", "prefect.resource.name": "nightly"}
    return AutomationCore(
        name=NAME,
        description="Made by `leadflow prefect setup`; set up again, it is as it was.",
        enabled=True,
        trigger=EventTrigger(
            expect={f"prefect.flow-run.{state}" for state in STATES},
            match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
            match_related=ResourceSpecification(nights),
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[SendNotification(block_document_id=block, subject=_SUBJECT, body=_BODY)],
    )

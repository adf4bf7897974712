"""An automation in Prefect that tells operators of a night that failed, crashed, is late or waits for approval."""

from datetime import timedelta
from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger, Posture, ResourceSpecification, SendNotification
from prefect.blocks.notifications import SlackWebhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from pydantic import SecretStr

#: What people see in the lists of automations and blocks, and what a second set-up finds again.
NAME = "leadflow: a night needs you"
BLOCK = "leadflow-operators"
STATES = ("Failed", "Crashed", "Late", "Paused", "TimedOut")
POOL = "leadflow"

_SUBJECT = "leadflow: {{ flow_run.name }} — {{ flow_run.state.name }}"
_BODY = "{{ flow_run.name }} · {{ flow_run.state.name }}: {{ flow_run.state.message }}\n{{ flow_run|ui_url }}"


def alert_operators(url: str) -> bool:
    """Make the automation, or make it anew as it should be; False when there was one. `url` is an Apprise address."""
    # Of Prefect's blocks the one that hands any address on to Apprise as it is.
    block = SlackWebhook(url=SecretStr(url)).save(BLOCK, overwrite=True)
    assert isinstance(block, UUID)  # noqa: S101 - the synchronous form
    wanted = _automation(block)
    with get_client(sync_client=True) as client:
        found = client.read_automations_by_name(NAME)
        if not found:
            client.create_automation(wanted)
            return True
        client.update_automation(found[0].id, wanted)
        for other in found[1:]:
            client.delete_automation(other.id)
        return False


def make_pool() -> bool:
    """The work pool that prefect.yaml deploys to; False when it is there."""
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
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

"""A slot as a flow run: recorded by the Prefect server that PREFECT_API_URL names."""

import asyncio
from importlib import import_module
from typing import Any

from leadflow.app import App, Slot


def run_as_flow(app: App, slot: Slot) -> None:
    """Run the flow of the slot's job in this process; what goes wrong stands in its state and its log.

    Prefect is imported here, once the variables it reads are set.
    """
    flow: Any = getattr(import_module(f"flows.{slot.job}"), slot.job)
    asyncio.run(flow(workspace=str(app.settings.workspace), slot=slot.name, return_state=True))

"""Put the example workspace into the wheel, under `leadflow/_workspace/`."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WORKSPACE = ("config", "segments", "templates", "lists", "pages", "personas", "prefect.yaml", "sample")


class ShipWorkspace(BuildHookInterface):  # type: ignore[type-arg]  # the builder's configuration is of no use here
    """Only a real wheel carries the copy: in a checkout the repository is itself the workspace."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for name in WORKSPACE:
            if Path(self.root, name).exists():
                build_data["force_include"][name] = f"leadflow/_workspace/{name}"

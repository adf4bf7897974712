"""An opened workspace for tests of drivers: a small playbook, adapters that keep what they are given."""

from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine

from leadflow.app import App
from leadflow.esp.memory import MemoryProvider
from leadflow.playbook.model import Playbook
from leadflow.ports import Ports
from leadflow.settings import Settings
from leadflow.testing import MemorySales
from tests.build import playbook


def an_app(engine: Engine, *, book: Playbook | None = None, workspace: Path = Path("nowhere")) -> App:
    """An App over `engine` that reads no file and tells nobody."""
    told = MemorySales()
    settings = Settings(
        workspace=workspace,
        secret=SecretStr("k" * 32),
        esp="memory",
        simulated=True,
        hosts="testserver",
        # Some tests push a thousand bodies in a second.
        api_per_minute=0,
    )
    ports = Ports(email=MemoryProvider(), alerts=told, crm=told)
    return App(settings=settings, playbook=book or playbook(), engine=engine, ports=ports)

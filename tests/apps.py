"""An opened workspace for tests of drivers: a small playbook, adapters that keep what they are given."""

from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine

from leadflow.app import App
from leadflow.esp.memory import MemoryProvider
from leadflow.playbook.model import Playbook
from leadflow.ports import Alert, HandOver, Ports
from leadflow.settings import Settings
from tests.build import playbook


class Told:
    """Keeps alerts and hand-overs in lists."""

    name = "told"

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.hand_overs: list[HandOver] = []

    def tell(self, alert: Alert) -> None:
        """Keep an alert."""
        self.alerts.append(alert)

    def hand_over(self, hand_over: HandOver) -> None:
        """Keep a hand-over."""
        self.hand_overs.append(hand_over)


def an_app(engine: Engine, *, book: Playbook | None = None, workspace: Path = Path("nowhere")) -> App:
    """An App over `engine` that reads no file and tells nobody."""
    told = Told()
    settings = Settings(workspace=workspace, secret=SecretStr("k" * 32), esp="memory", simulated=True)
    ports = Ports(email=MemoryProvider(), alerts=told, crm=told)
    return App(settings=settings, playbook=book or playbook(), engine=engine, ports=ports)

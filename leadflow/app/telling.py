"""Tells salespeople what waits to be told, through the channels and with the links of this workspace."""

from datetime import datetime

from leadflow.app.workspace import App
from leadflow.pipeline.alert_text import Door
from leadflow.pipeline.alerts import tell_sales
from leadflow.pipeline.recall import tell_recalled


def tell_waiting(app: App, now: datetime) -> int:
    """Tell sales what waits to be told, and what was taken back; how many hand-overs were told."""
    tell_recalled(app.engine, app.playbook, now, app.ports.alerts)
    door = Door(key=app.settings.key(), public_url=app.settings.public_url)
    return tell_sales(app.engine, app.playbook, now, channel=app.ports.alerts, crm=app.ports.crm, door=door)

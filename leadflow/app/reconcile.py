"""Reconciliation of this workspace's outbox with the log of its provider."""

from collections.abc import Mapping
from datetime import datetime

from leadflow.app.workspace import App
from leadflow.pipeline.reconcile import reconcile_messages


def reconcile_due(app: App, now: datetime) -> Mapping[str, int]:
    """Settle the attempts nobody can speak for; counts by what became of them."""
    return reconcile_messages(app.engine, app.playbook, now, log=app.ports.log)

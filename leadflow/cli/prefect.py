"""`leadflow prefect setup`: what Prefect needs to tell operators of a night that needs them."""

from importlib import import_module
from typing import Annotated

import typer

from leadflow.cli.common import Workspace, console, plain_errors
from leadflow.errors import UsageError
from leadflow.text import _

Tell = Annotated[
    str | None, typer.Option("--tell", help="Apprise address to tell; default: LEADFLOW_OPS_ALERT.", show_default=False)
]

group = typer.Typer(help="The Prefect server of this workspace.", no_args_is_help=True)


@group.callback()
def _group() -> None:
    """The Prefect server of this workspace."""


@group.command()
def setup(workspace: Workspace = None, tell: Tell = None) -> None:
    """Make, or mend, the alert on a failed, crashed, late or paused night, what ends silent runs, and the work pool."""
    from leadflow.settings import load_settings

    with plain_errors():
        settings = load_settings(workspace)
        url = tell or settings.ops_alert.get_secret_value()
        if not url:
            raise UsageError(_("whom to tell? Set LEADFLOW_OPS_ALERT to an Apprise address, or use --tell"))
        server = import_module("leadflow.scheduler.server")
        with server.local_server(settings.workspace) as running:
            # Prefect reads the variables that are set above when it is first imported.
            alert = import_module("leadflow.scheduler.night_alert")
            made = {alert.NAME: alert.alert_operators(url), alert.GONE: alert.end_silent_runs()}
            pool = alert.make_pool()
            where = f"{running.url}/automations"
        for name, new in made.items():
            automation = _("automation made: {name}") if new else _("automation mended: {name}")
            console.print(automation.format(name=name), markup=False)
        console.print((_("work pool made: {name}") if pool else _("work pool there: {name}")).format(name=alert.POOL))
        console.print(where, markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(group, name="prefect")

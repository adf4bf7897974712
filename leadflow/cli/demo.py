"""`leadflow demo`: three weeks of leads, mails and hand-overs in about a minute, watched in a local Prefect server."""

from pathlib import Path
from typing import Annotated

import typer

from leadflow.cli.common import plain_errors


def demo(
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="A folder that the demo may fill.")] = Path(
        "demo-workspace"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Another seed lives other weeks; the same one the same.")] = 42,
) -> None:
    """Live 21 nights on 300 sample leads, and see what came of it."""
    from importlib import import_module

    with plain_errors():
        # The demo stands above the commands: it also drives the flows and the local server.
        import_module("leadflow.demo.run").run_demo(workspace, seed)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(demo)

"""`leadflow retention`: people who did nothing for years are asked once whether to stay, then erased."""

from typing import Annotated

import typer

from leadflow.cli.common import ActedAt, Workspace, acted_at, console, opened, plain_errors
from leadflow.text import _


def retention(
    workspace: Workspace = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    at: ActedAt = None,
) -> None:
    """Apply the rule of the silent years: ask once, then erase; upkeep does the same once a day."""
    from leadflow.app.retention import apply_retention

    with plain_errors():
        app = opened(workspace)
        counts = apply_retention(app, acted_at(app, at), dry_run=dry_run)
    would = _("would ask {asked}, erase {erased}, and drop {posts} old posts")
    words = would if dry_run else _("asked {asked}, erased {erased}, dropped {posts} old posts")
    console.print(words.format(**counts), markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(retention)

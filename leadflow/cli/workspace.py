"""`leadflow init` and `leadflow check`: start a workspace, and find every fault in its files."""

import time
from pathlib import Path
from typing import Annotated

import typer

from leadflow.cli.common import Workspace, complaints, console, plain_errors
from leadflow.text import _, ngettext


def init(folder: Annotated[Path, typer.Argument(help="A new or empty folder.")]) -> None:
    """Start a workspace in FOLDER from the shipped example."""
    from leadflow.playbook.example import copy_example

    with plain_errors():
        count = copy_example(folder)
    console.print(
        _("{count} files in {folder}. Next: leadflow check --workspace {folder}").format(count=count, folder=folder)
    )


def check(workspace: Workspace = None) -> None:
    """Find every fault in the workspace's files: file, line, column and the nearest right word."""
    from leadflow.errors import Severity
    from leadflow.playbook.load import check_playbook
    from leadflow.settings import load_settings

    started = time.perf_counter()
    with plain_errors():
        playbook, faults = check_playbook(load_settings(workspace).workspace)
    for fault in faults:
        console.print(
            str(fault), markup=False, soft_wrap=True, style="red" if fault.severity is Severity.ERROR else "yellow"
        )
    errors = sum(fault.severity is Severity.ERROR for fault in faults)
    warnings = len(faults) - errors
    files = len(playbook.files) if playbook else None
    seconds = time.perf_counter() - started
    summary = ngettext("{n} error", "{n} errors", errors).format(n=errors)
    summary += " · " + ngettext("{n} warning", "{n} warnings", warnings).format(n=warnings)
    if files is not None:
        summary += " · " + _("{files} files, {seconds:.1f} s").format(files=files, seconds=seconds)
    console.print(summary)
    if errors:
        complaints.print(_("mend the errors before anything is sent"), style="red")
        raise typer.Exit(2)


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(init)
    app.command()(check)

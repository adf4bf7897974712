"""`leadflow init` and `leadflow check`: start a workspace, and find every fault in its files."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadflow.cli._faults import as_github, as_json
from leadflow.cli.common import Workspace, console, plain_errors
from leadflow.text import _, decimal, ngettext

if TYPE_CHECKING:
    from leadflow.errors import Fault

Format = Literal["text", "json", "github"]
#: Warnings printed without --all.
_SHOWN = 5


def init(folder: Annotated[Path, typer.Argument(help="A new or empty folder.")]) -> None:
    """Start a workspace in FOLDER from the shipped example."""
    from leadflow.playbook.example import copy_example

    with plain_errors():
        count = copy_example(folder)
    console.print(
        _("{count} files in {folder}. Next: leadflow check --workspace {folder}").format(count=count, folder=folder)
    )


def check(
    workspace: Workspace = None,
    every: Annotated[bool, typer.Option("--all", help="Every warning, not only the first five.")] = False,
    files: Annotated[bool, typer.Option("--files", help="The files alone: do not ask the database.")] = False,
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="text; json, a list of all faults; or github, beside the lines of a pull request."
        ),
    ] = "text",
) -> None:
    """Find every fault in the workspace's files, and what they mean for the people there are."""
    started = time.perf_counter()
    with plain_errors():
        faults, folder, read = _faults(workspace, files=files)
    if form == "json":
        typer.echo(as_json(faults))
    elif form == "github":
        for fault in faults:
            typer.echo(as_github(fault, folder))
    else:
        _print(faults, every=every, read=read, started=started)
    if any(fault.severity == "error" for fault in faults):
        raise typer.Exit(2)


def _print(faults: "list[Fault]", *, every: bool, read: int | None, started: float) -> None:
    errors = [fault for fault in faults if fault.severity == "error"]
    warnings = [fault for fault in faults if fault.severity != "error"]
    shown = warnings if every else warnings[:_SHOWN]
    for fault in [fault for fault in faults if fault in errors or fault in shown]:
        style = "red" if fault.severity == "error" else "yellow"
        console.print(str(fault), markup=False, soft_wrap=True, style=style)
    parts = [_count_errors(len(errors)), _count_warnings(len(warnings), len(warnings) - len(shown))]
    if read is not None:
        seconds = time.perf_counter() - started
        parts.append(_("{files} files, {seconds} s").format(files=read, seconds=decimal(seconds)))
    console.print(" · ".join(parts))


def _faults(workspace: Path | None, *, files: bool) -> "tuple[list[Fault], Path, int | None]":
    """Every fault, those of the files first, the workspace, and how many files were read where they can be used."""
    from leadflow.playbook.load import check_playbook
    from leadflow.settings import load_settings

    settings = load_settings(workspace)
    playbook, faults = check_playbook(settings.workspace)
    if playbook is None:
        return faults, settings.workspace, None
    if not files and (settings.database_url or (settings.var / "leadflow.db").exists()):
        from leadflow.app.checks import check_people

        faults += check_people(settings, playbook, datetime.now(UTC))
    return faults, settings.workspace, len(playbook.files)


def _count_errors(n: int) -> str:
    if not n:
        return _("0 errors")
    return ngettext(
        "{n} error to mend before anything is sent", "{n} errors to mend before anything is sent", n
    ).format(n=n)


def _count_warnings(n: int, hidden: int) -> str:
    if hidden:
        return ngettext("{n} more warning with --all", "{n} more warnings with --all", hidden).format(n=hidden)
    return ngettext("{n} warning", "{n} warnings", n).format(n=n)


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(init)
    app.command()(check)

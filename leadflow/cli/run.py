"""`leadflow run` and `leadflow deliver`: a sweep, or what is due, in this process without any server."""

from typing import TYPE_CHECKING

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from leadflow.cli.common import At, Workspace, console, instant, opened, plain_errors
from leadflow.text import _

if TYPE_CHECKING:
    from leadflow.types import Outcome


def run(workspace: Workspace = None, at: At = None) -> None:
    """Run one sweep now: all phases, in order, without Prefect."""
    from leadflow.app import draining_at_sigterm, held_nights, hold_words, plan, sweep

    with plain_errors():
        app = opened(workspace)
        now = instant(app, at)
        if at is not None and not app.settings.simulated:
            console.print(_("--at is a dry run: nothing is written, nothing leaves"), style="yellow")
            for outcome in plan(app, now, lambda _session, outcomes: outcomes):
                _line(outcome)
            return
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), transient=True) as bar:
            bar.add_task(_("sweep as of {now}").format(now=f"{now.astimezone(app.office):%Y-%m-%d %H:%M}"))
            with draining_at_sigterm():
                *_before, sent = sweep(app, now, report=_line)
        _say_waiting(sent)
        for row in held_nights(app):
            console.print(hold_words(row), style="red", markup=False)


def deliver(workspace: Workspace = None, at: At = None) -> None:
    """Send what is due now."""
    from leadflow.app import deliver_due, draining_at_sigterm

    with plain_errors():
        app = opened(workspace)
        now = instant(app, at if app.settings.simulated else None)
        with draining_at_sigterm():
            sent = deliver_due(app, now)
        _line(sent)
        _say_waiting(sent)


def _say_waiting(sent: "Outcome") -> None:
    from leadflow.app import waiting_words

    if waiting := waiting_words(sent.counts):
        console.print(_("unfinished: {waiting}").format(waiting=waiting), style="yellow")


def _line(outcome: "Outcome") -> None:
    counts = "  ".join(f"{name} {n}" for name, n in outcome.counts.items() if n)
    console.print(f"{outcome.phase:<9} {outcome.read:>8} → {outcome.changed:<8} {counts}", markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(run)
    app.command()(deliver)

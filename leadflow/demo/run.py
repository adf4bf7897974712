"""The demo from its first line to its last: workspace, server, nights, screen, claims."""

import os
import time
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from leadflow.eligibility import Tonight
from leadflow.errors import InvariantError
from leadflow.scheduler.server import local_server
from leadflow.text import _


def run_demo(workspace: Path, seed: int, console: Console | None = None) -> None:
    """Live the demo in `workspace`; InvariantError when one of its claims does not hold."""
    from leadflow.demo.nights import NIGHTS, import_sample, make_workspace

    console = console or _console()
    # Lines of tasks would bury the progress bar; every one is in the Prefect UI, and what stops the demo is told by us.
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    make_workspace(workspace, seed)
    counted = import_sample(workspace)
    console.print(
        _("{rows} people imported: {created} new, {rejected} rejected").format(
            rows=counted.rows, created=counted.created, rejected=counted.rejected
        )
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        waiting = progress.add_task(_("starting a local Prefect server"), total=None)
        with local_server(workspace) as server:
            progress.remove_task(waiting)
            _live(workspace, seed, console, progress, server.url, NIGHTS)


def _live(workspace: Path, seed: int, console: Console, progress: Progress, ui: str, nights: int) -> None:
    # Prefect reads its settings when it is imported: only now does anything import it.
    from leadflow.demo.claims import failed_claims
    from leadflow.demo.ending import show_ending
    from leadflow.demo.nights import live

    bar = progress.add_task(_("nights"), total=nights)

    def on_night(now: datetime, night: Tonight) -> None:
        progress.update(
            bar,
            advance=1,
            description=_("night {date}: {mailed} mails").format(date=f"{now:%d %b}", mailed=night.mailed),
        )

    started = time.monotonic()
    lived = live(workspace, seed, on_night)
    seconds = time.monotonic() - started
    progress.stop()
    show_ending(console, lived, seconds=seconds, ui=ui)
    if failed := failed_claims(lived):
        raise InvariantError("\n".join([_("the demo did not live up to its claims:"), *failed]))


def _console() -> Console:
    """The terminal as wide as it is; a log file wide enough for the tables."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=140)

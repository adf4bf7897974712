"""What every command shares: the workspace option, the instant option, the console, the way errors end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from leadflow.errors import LeadflowError, UsageError
from leadflow.text import _

if TYPE_CHECKING:
    from leadflow.app import App

console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)

Workspace = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="Folder with config/, segments/ and templates/ (default: this folder)."),
]
At = Annotated[
    str | None,
    typer.Option("--at", help="A day (its nightly instant, office time) or an instant, ISO; default: now."),
]
ActedAt = Annotated[
    str | None, typer.Option("--at", help="When, in a simulated workspace; elsewhere it is always now.")
]
ActedBy = Annotated[str | None, typer.Option("--by", help="Who says so; default: the user of this machine.")]

#: Errors of a database that is locked, away, or none; all others are faults of ours.
_AWAY = ("OperationalError", "DatabaseError")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print what is wrong in words and end with exit code 2, never with a traceback."""
    try:
        yield
    except LeadflowError as error:
        complaints.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except Exception as error:
        # Known by name: a command that needs no database does not load what speaks to one.
        if type(error).__module__ != "sqlalchemy.exc" or type(error).__name__ not in _AWAY:
            raise
        told = str(getattr(error, "orig", error)).strip().partition("\n")[0]
        words = _("the database cannot be used just now: {error}").format(error=told)
        complaints.print(words, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None


def opened(workspace: Path | None) -> "App":
    """The workspace, opened; the first thing a command does."""
    from leadflow.app import open_app

    return open_app(workspace)


def instant(app: "App", at: str | None, option: str = "--at") -> datetime:
    """The instant `option` names; a bare date means the nightly instant of that day in office time."""
    from leadflow.app import night_of

    if at is None:
        return datetime.now(UTC)
    try:
        if len(at) == len("2026-03-24"):
            day = date.fromisoformat(at)
            return night_of(app, datetime(day.year, day.month, day.day, 12, tzinfo=app.office))
        value = datetime.fromisoformat(at)
    except ValueError:
        told = _("{option} {at}: write a date such as 2026-03-24 or 2026-03-24T09:00")
        raise UsageError(told.format(option=option, at=at)) from None
    return value if value.tzinfo else value.replace(tzinfo=app.office)


def lived_instant(app: "App", at: str | None) -> datetime:
    """The instant asked for; by default now, and in a simulated workspace the last one it lived."""
    from sqlalchemy.orm import Session

    from leadflow.ask.report.collect import last_sweep

    if at is not None or not app.settings.simulated:
        return instant(app, at)
    with Session(app.engine) as session:
        return last_sweep(session) or datetime.now(UTC)


def acted_at(app: "App", at: str | None) -> datetime:
    """When an answer counts from: one given in the past would rewrite what sweeps have decided since."""
    if at is not None and not app.settings.simulated:
        raise UsageError(_("--at is for simulated workspaces: an answer counts from now"))
    return instant(app, at)


def ask_first(question: str, otherwise: str, *, yes: bool, to: Console = complaints) -> None:
    """Go on when `yes` or whoever is asked says so; else say `otherwise` and end with exit code 1."""
    if not yes and not typer.confirm(question):
        to.print(otherwise)
        raise typer.Exit(1)


def who_acts() -> str:
    """The user of this machine, for what keeps who did it."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run a user without a name.
        return "?"

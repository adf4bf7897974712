"""`leadflow approve`: what a night held by the brake would do, and the word that lets it leave."""

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow.cli.common import (
    ActedAt,
    ActedBy,
    Workspace,
    acted_at,
    ask_first,
    console,
    opened,
    plain_errors,
    who_acts,
)
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.app import App

Date = Annotated[
    str | None, typer.Argument(metavar="[DATE]", help="The night, such as 2026-03-23; default: list them.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: for scripts.")]
Drop = Annotated[bool, typer.Option("--drop", help="None of it leaves; the next sweep plans anew.")]


def approve(
    date: Date = None,
    workspace: Workspace = None,
    yes: Yes = False,
    drop: Drop = False,
    by: ActedBy = None,
    at: ActedAt = None,
) -> None:
    """Let a night leave that the brake held: prints what it planned, asks, keeps who said so and when."""
    from leadflow import app as doing

    with plain_errors():
        app = opened(workspace)
        now = acted_at(app, at)
        rows = doing.held_nights(app, date)
        if not rows:
            console.print(_("no night is held"))
            return
        for row in rows:
            _show(app, row)
        if date is None:
            return
        question = _("drop it all?") if drop else _("let it leave?")
        ask_first(question, _("nothing is changed: the night stays held"), yes=yes)
        who = by or who_acts()
        for row in rows:
            (doing.drop if drop else doing.approve)(app, row, now, by=who)
            words = _("dropped: the next sweep plans anew") if drop else _("approved: it leaves at its hours")
            # No name: everybody who sees the runs sees it.
            import_module("leadflow.scheduler.answered").tell_prefect(app.settings.workspace, row.night, words)
    if drop:
        console.print(_("dropped by {who}: the next sweep plans anew").format(who=who), markup=False)
    else:
        console.print(_("approved by {who}: it leaves at its hours").format(who=who), markup=False)


def _show(app: "App", row: Any) -> None:
    from sqlalchemy.orm import Session

    from leadflow.app import hold_words
    from leadflow.ask.plan import planned_mails

    with Session(app.engine) as session:
        found = planned_mails(session, app.playbook, row.at)
    local = row.at.astimezone(app.office)
    console.print(
        _("NIGHT of {night}, swept at {time}: held").format(night=row.night, time=f"{local:%H:%M}"), style="bold"
    )
    console.print(hold_words(row), markup=False)
    for line in found.lines:
        languages = "  ".join(f"{language} {n}" for language, n in line.by_language.items())
        console.print(f"  {line.email:<32} {line.total:>6}   {languages:<16} {line.hours}", markup=False)
    planned = ngettext("{n} mail to as many people", "{n} mails to as many people", row.mails)
    console.print("  " + planned.format(n=row.mails))
    for rep, n in found.handovers.items():
        console.print("  " + _("hand-over: {n} to {rep}").format(n=n, rep=rep), markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(approve)

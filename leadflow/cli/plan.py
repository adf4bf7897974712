"""`leadflow plan`: tonight by email, language and hour, before it happens."""

from datetime import datetime
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from leadflow.cli.common import At, Workspace, console, instant, opened, plain_errors
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.app import App
    from leadflow.ask.plan import Plan


def plan(workspace: Workspace = None, at: At = None) -> None:
    """Tonight by email, language and hour; nothing is written, nothing leaves."""
    from leadflow.app import plan as rehearse
    from leadflow.ask.plan import planned_mails

    with plain_errors():
        app = opened(workspace)
        now = instant(app, at)
        with console.status(_("planning")):
            found = rehearse(app, now, lambda session, _outcomes: planned_mails(session, app.playbook, now))
    _show(app, found, now)


def _show(app: "App", found: "Plan", now: datetime) -> None:
    from leadflow.ask.words import reason_words

    heading = _("PLAN for {day} · playbook {playbook} · nothing is written, nothing leaves")
    local = now.astimezone(app.office)
    console.print(heading.format(day=f"{local:%Y-%m-%d %H:%M}", playbook=app.playbook.short), style="bold")
    console.print(_table(found, app.playbook.office.zone))
    without = sum(found.tonight.skipped.values())
    console.print(
        ngettext(
            "{n} person gets nothing, and there is a reason:",
            "{n} people get nothing, and each has a reason:",
            without,
        ).format(n=without)
    )
    for reason, n in sorted(found.tonight.skipped.items(), key=lambda item: (-item[1], item[0])):
        console.print(f"  {n:>6}  {reason_words(reason)}", markup=False)
    for rep, n in found.handovers.items():
        console.print(_("hand-over: {n} to {rep}").format(n=n, rep=rep), markup=False)


def _table(found: "Plan", zone: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(_("email"))
    for language in found.languages:
        table.add_column(language, justify="right")
    table.add_column(_("total"), justify="right")
    table.add_column(_("hours ({zone})").format(zone=zone))
    for line in found.lines:
        counts = [str(line.by_language.get(language, 0)) for language in found.languages]
        table.add_row(line.email, *counts, str(line.total), line.hours)
    table.add_row(_("total"), *(str(n) for n in found.totals), str(found.tonight.mailed), style="bold")
    return table


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(plan)

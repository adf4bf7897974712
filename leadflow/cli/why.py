"""`leadflow why` and `leadflow plan`: the reasons behind one person, and tonight before it happens."""

from typing import Annotated

import typer
from rich.table import Table

from leadflow.cli.common import At, Workspace, console, instant, opened, plain_errors
from leadflow.text import _


def why(
    who: Annotated[str, typer.Argument(help="An address, or a lead's number such as L-0147.")],
    workspace: Workspace = None,
    at: At = None,
) -> None:
    """Why somebody has this score, stands there, got that, and gets nothing."""
    from sqlalchemy.orm import Session

    from leadflow.ask.why import why as answer

    with plain_errors():
        app = opened(workspace)
        with Session(app.engine) as session:
            sections = answer(session, app.playbook, who, None if at is None else instant(app, at))
    for section in sections:
        console.print(section.title, style="bold", markup=False)
        for line in section.lines:
            console.print(f"  {line}", markup=False, soft_wrap=True)


def plan(workspace: Workspace = None, at: At = None) -> None:
    """Tonight by email, language and hour; nothing is written, nothing leaves."""
    from leadflow.app import plan as rehearse
    from leadflow.ask.plan import planned_mails

    with plain_errors():
        app = opened(workspace)
        now = instant(app, at)
        with console.status(_("planning")):
            found = rehearse(app, now, lambda session, _outcomes: planned_mails(session, app.playbook, now))
    local = now.astimezone(app.office)
    console.print(
        _("PLAN for {day} · playbook {playbook} · nothing is written, nothing leaves").format(
            day=f"{local:%a %d %B %Y}", playbook=app.playbook.short
        ),
        style="bold",
    )
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(_("email"))
    for language in found.languages:
        table.add_column(language, justify="right")
    table.add_column(_("total"), justify="right")
    table.add_column(_("hours ({zone})").format(zone=app.playbook.office.zone))
    for line in found.lines:
        counts = [str(line.by_language.get(language, 0)) for language in found.languages]
        table.add_row(line.email, *counts, str(line.total), f"{line.first:%H:%M}–{line.last:%H:%M}")
    table.add_row(_("total"), *(str(n) for n in found.totals), str(found.tonight.mailed), style="bold")
    console.print(table)
    from leadflow.ask.words import reason_words

    console.print(_("{n} people get nothing, and each has a reason:").format(n=sum(found.tonight.skipped.values())))
    for reason, n in sorted(found.tonight.skipped.items(), key=lambda item: -item[1]):
        console.print(f"  {n:>6}  {reason_words(reason)}", markup=False)
    for rep, n in found.handovers.items():
        console.print(_("hand-over: {n} to {rep}").format(n=n, rep=rep), markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(why)
    app.command()(plan)

"""`leadflow plan`: tonight by email, language and hour, before it happens; and what a change of the files would do."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadflow.cli.common import At, Workspace, console, instant, opened, plain_errors
from leadflow.text import _

if TYPE_CHECKING:
    from leadflow.app import App

Format = Literal["text", "markdown", "json"]


def plan(
    workspace: Workspace = None,
    at: At = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="A Git ref, or a folder: what would the files here do that those would not?"),
    ] = None,
    nights: Annotated[
        int, typer.Option("--nights", min=1, max=60, help="With --against: live so many nights in thought.")
    ] = 1,
    form: Annotated[Format, typer.Option("--format", help="text, markdown or json.")] = "text",
) -> None:
    """Tonight by email, language and hour; nothing is written, nothing leaves."""
    with plain_errors():
        app = opened(workspace)
        now, ahead = _when(app, at)
        look = _against(app, now, against, nights, form, ahead) if against else _tonight(app, now, form, ahead)
    if look:
        raise typer.Exit(1)


def _when(app: "App", at: str | None) -> tuple[datetime, bool]:
    """The instant asked about, and whether it is a night to come; a simulated workspace lives in days of its own."""
    from leadflow.app import coming_night

    night = coming_night(app) if at is None and app.settings.simulated else None
    return (night, True) if night else (instant(app, at), at is not None)


def _tonight(app: "App", now: datetime, form: Format, ahead: bool) -> bool:
    from leadflow.app import foresight
    from leadflow.cli._plan_pages import plan_json, plan_markdown, show_plan

    with console.status(_("planning")):
        found = foresight(app, now, ahead=ahead)
    match form:
        case "json":
            typer.echo(plan_json(app.playbook, found, now))
        case "markdown":
            typer.echo(plan_markdown(app.playbook, found, now))
        case _:
            show_plan(app.playbook, found, now)
    return False


def _against(app: "App", now: datetime, ref: str, nights: int, form: Format, ahead: bool) -> bool:
    from leadflow.app import against, playbook_at
    from leadflow.cli._plan_pages import change_json, change_markdown, show_change

    before = playbook_at(app.settings.workspace, ref)
    with console.status(_("planning twice")):
        found = against(app, before, now, nights=nights, ahead=ahead)
    match form:
        case "json":
            typer.echo(change_json(found))
        case "markdown":
            typer.echo(change_markdown(app.playbook, found, ref, now))
        case _:
            show_change(app.playbook, found, now)
    return found.look


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(plan)

"""`leadflow keys`: who may push in by the API, and with what."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from leadflow.cli.common import Workspace, console, opened, plain_errors
from leadflow.text import _

Name = Annotated[str, typer.Argument(help="What the key is called: the program that uses it.", show_default=False)]

group = typer.Typer(help="Keys of the API: make, list, revoke.", no_args_is_help=True)


@group.command()
def new(
    name: Name,
    scope: Annotated[
        str, typer.Option("--scope", help="What it may be used for: events, leads, deals, social; with commas.")
    ] = "events,leads",
    workspace: Workspace = None,
) -> None:
    """Make a key; it is shown this once."""
    from sqlalchemy.orm import Session

    from leadflow.intake.api_keys import new_key, read_scopes

    with plain_errors():
        app = opened(workspace)
        scopes = read_scopes(scope)
        with Session(app.engine) as session, session.begin():
            key = new_key(session, name, scopes, datetime.now(UTC))
    console.print(
        _("{name} may push {scopes} with this key; it is not shown again:").format(name=name, scopes=", ".join(scopes)),
        markup=False,
        soft_wrap=True,
    )
    # Alone on its line, for whoever pipes or copies it.
    typer.echo(key)


@group.command("list")
def list_all(workspace: Workspace = None) -> None:
    """All keys, with what they may be used for and when they last were."""
    from rich.table import Table
    from sqlalchemy.orm import Session

    from leadflow.intake.api_keys import list_keys

    with plain_errors():
        app = opened(workspace)
        with Session(app.engine) as session:
            known = list_keys(session)
        if not known:
            console.print(_("there is no key: leadflow keys new NAME makes one"))
            return
        table = Table(box=None, header_style="bold", pad_edge=False)
        for title in (_("key"), _("may push"), _("made"), _("last used"), ""):
            table.add_column(title)
        for key in known:
            dates = (key.created_at, key.used_at, key.revoked_at)
            made, used, revoked = (f"{at.astimezone(app.office):%Y-%m-%d}" if at else None for at in dates)
            gone = _("revoked {day}").format(day=revoked) if revoked else ""
            table.add_row(key.name, ", ".join(sorted(key.scopes)), made, used or _("never"), gone)
        console.print(table)


@group.command()
def revoke(name: Name, workspace: Workspace = None) -> None:
    """Let nobody in with it from now on."""
    from sqlalchemy.orm import Session

    from leadflow.intake.api_keys import revoke_key

    with plain_errors():
        app = opened(workspace)
        with Session(app.engine) as session, session.begin():
            revoke_key(session, name, datetime.now(UTC))
    console.print(_("{name} is revoked: nobody gets in with it").format(name=name), markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(group, name="keys")

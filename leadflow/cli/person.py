"""`leadflow person`: a copy of all that is held on somebody, its erasure, and two records that are one person."""

from pathlib import Path
from typing import Annotated

import typer

from leadflow.cli.common import ActedAt, Workspace, acted_at, ask_first, console, opened, plain_errors
from leadflow.errors import UsageError
from leadflow.text import _, ngettext

Who = Annotated[str, typer.Argument(metavar="EMAIL", help="Their address, or their number such as L-0147.")]
group = typer.Typer(help="What is held on one person: a copy, its erasure, or two made one.", no_args_is_help=True)


@group.command()
def export(
    who: Who,
    workspace: Workspace = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file; default: print.")] = None,
    at: ActedAt = None,
) -> None:
    """Print everything held on somebody as JSON: what to hand over when they ask for their data."""
    import json

    from sqlalchemy.orm import Session

    from leadflow.app.person import copy_of
    from leadflow.ask.person import find_lead

    with plain_errors():
        app = opened(workspace)
        with Session(app.engine) as session:
            lead_id = find_lead(session, who)
        text = json.dumps(copy_of(app, lead_id, acted_at(app, at)), ensure_ascii=False, indent=2) + "\n"
        if out is None:
            typer.echo(text, nl=False)
            return
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{out}: {error.strerror}") from None
        console.print(_("written to {path}").format(path=out), markup=False)


@group.command()
def erase(
    who: Who,
    workspace: Workspace = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    at: ActedAt = None,
) -> None:
    """Erase somebody from every table and file; a keyed hash of the address stays, so that it is never mailed again."""
    from sqlalchemy.orm import Session

    from leadflow.app.person import erase as take_out
    from leadflow.ask.person import code_of, find_lead

    with plain_errors():
        app = opened(workspace)
        with Session(app.engine) as session:
            lead_id = find_lead(session, who)
        question = _("Erase {who} for good?").format(who=code_of(lead_id))
        ask_first(question, _("nothing was erased"), yes=yes, to=console)
        done = take_out(app, [lead_id], acted_at(app, at))
        rows = ngettext("{n} row", "{n} rows", done.rows).format(n=done.rows)
        files = ngettext("{n} file", "{n} files", done.files).format(n=done.files)
        words = _("erased {who}: {rows}, {files}; the address is never mailed again")
        console.print(words.format(who=code_of(lead_id), rows=rows, files=files), markup=False)
        for path in done.remaining:
            told = _("still there, in a file of yours: {path}").format(path=path)
            console.print(told, style="yellow", markup=False)
        console.print(_("Backups are yours to let expire; what your provider keeps is erased there."), markup=False)


@group.command()
def merge(
    keep: Annotated[str, typer.Argument(metavar="KEEP", help="Who stays: an address, or a number such as L-0147.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Who becomes part of them, written alike.")],
    workspace: Workspace = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    at: ActedAt = None,
) -> None:
    """Make two records of the same person one: acts, mails and consents of both; whatever one refused, both did."""
    from sqlalchemy.orm import Session

    from leadflow.app.person import merge as make_one
    from leadflow.ask.person import code_of, find_lead

    with plain_errors():
        app = opened(workspace)
        with Session(app.engine) as session:
            first, second = find_lead(session, keep), find_lead(session, other)
        if first == second:
            raise UsageError(_("{keep} and {other} are the same person already").format(keep=keep, other=other))
        question = _("Make {other} part of {keep} for good?").format(keep=code_of(first), other=code_of(second))
        ask_first(question, _("nothing was merged"), yes=yes, to=console)
        make_one(app, first, second, acted_at(app, at))
        words = _("{other} is part of {keep} now; the next sweep works out the rest")
        console.print(words.format(keep=code_of(first), other=code_of(second)), markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(group, name="person")

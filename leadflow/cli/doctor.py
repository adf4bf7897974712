"""`leadflow doctor`: what is wrong with the running of this workspace, and what to do about it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from leadflow.cli.common import At, Workspace, console, lived_instant, opened, plain_errors
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from datetime import datetime

    from leadflow.app import App
    from leadflow.ask.finding import Finding

Json = Annotated[bool, typer.Option("--json", help="For machines: a list of findings.")]
Dns = Annotated[
    bool | None,
    typer.Option("--dns/--no-dns", help="Ask for SPF, DKIM and DMARC; default: where mail leaves the machine."),
]

_UNDER = " " * 16


def doctor(workspace: Workspace = None, as_json: Json = False, dns: Dns = None, at: At = None) -> None:
    """Look the workspace over: what waits, who died, what is heard, clocks, DNS. Something wrong: exit code 1."""
    from leadflow.app import doctor as look

    with plain_errors():
        app = opened(workspace)
        now = lived_instant(app, at)
        found = look(app, now, dns=dns)
    wrong = sum(finding.level == "wrong" for finding in found)
    if as_json:
        typer.echo(json.dumps({"wrong": wrong, "findings": [asdict(finding) for finding in found]}, ensure_ascii=False))
    else:
        _show(app, now, found, wrong)
    if wrong:
        raise typer.Exit(1)


def _show(app: "App", now: "datetime", found: "Sequence[Finding]", wrong: int) -> None:
    from leadflow.ask.section import minute

    head = _("DOCTOR as of {at} · {provider} · {database}")
    at = minute(now, app.office)
    console.print(
        head.format(at=at, provider=app.settings.esp, database=app.engine.dialect.name), style="bold", markup=False
    )
    marks = {"ok": ("✓", None), "note": ("!", "yellow"), "wrong": ("✗", "red")}
    last = ""
    for finding in found:
        mark, style = marks[finding.level]
        name = finding.check if finding.check != last else ""
        console.print(f"  {mark} {name:<12}{finding.says}", style=style, markup=False, soft_wrap=True)
        if finding.do:
            console.print(f"{_UNDER}→ {finding.do}", markup=False, soft_wrap=True)
        last = finding.check
    notes = sum(finding.level == "note" for finding in found)
    told = (
        ngettext("{n} thing is wrong", "{n} things are wrong", wrong).format(n=wrong)
        if wrong
        else _("nothing is wrong")
    )
    if notes:
        told += ", " + ngettext("{n} to look at", "{n} to look at", notes).format(n=notes)
    console.print(told, style="red" if wrong else "bold")


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(doctor)

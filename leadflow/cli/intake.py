"""`leadflow import`, `leadflow event`, `leadflow replay`: people, deals and acts come in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow.cli._accounting import say_counts, say_mailable, say_mapping, say_more
from leadflow.cli.common import Workspace, console, instant, opened, plain_errors
from leadflow.errors import UsageError
from leadflow.text import _

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from leadflow.app import App
    from leadflow.intake.csvfile import CsvFile
    from leadflow.intake.leads import LegalGrounds
    from leadflow.intake.mapping import Wishes
    from leadflow.types import Reason

Maps = Annotated[
    list[str] | None, typer.Option("--map", help="FIELD=COLUMN, again for each field, or a YAML file of them.")
]
Constants = Annotated[list[str] | None, typer.Option("--constant", help="FIELD=VALUE for every row.")]
Nulls = Annotated[
    list[str] | None, typer.Option("--null", help="COLUMN=Select,unknown: words that stand for a missing value.")
]
DateFormats = Annotated[
    list[str] | None, typer.Option("--date-format", help="COLUMN=%d/%m/%Y, where dates are not written 2026-03-24.")
]


def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file: people, or deals of a CRM.", show_default=False)],
    map: Maps = None,
    constant: Constants = None,
    null: Nulls = None,
    date_format: DateFormats = None,
    first_seen: Annotated[str | None, typer.Option(help="Column with the date of the first contact.")] = None,
    template_address: Annotated[str | None, typer.Option(help="Makes addresses from columns: {id}@example.com")] = None,
    basis: Annotated[str | None, typer.Option(help="consent, legitimate_interest or customer.")] = None,
    source: Annotated[str | None, typer.Option(help="Where these people were first met.")] = None,
    informed_on: Annotated[str | None, typer.Option(help="The day they were told where their data comes from.")] = None,
    no_mail: Annotated[bool, typer.Option("--no-mail", help="Nobody new in this file is mailed.")] = False,
    kind: Annotated[str | None, typer.Option(help="leads or deals; default: what the columns say.")] = None,
    encoding: Annotated[str, typer.Option(help="utf-8, cp1252 (Windows), utf-16 …")] = "utf-8",
    delimiter: Annotated[str | None, typer.Option(help="Default: whichever of , ; tab | parts the header.")] = None,
    zone: Annotated[str | None, typer.Option(help="Zone of dates that name none; default: the office's.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    workspace: Workspace = None,
) -> None:
    """Import people from a CSV file, or the deals of a CRM."""
    from leadflow.intake.deals import looks_like_deals
    from leadflow.intake.leads import LegalGrounds
    from leadflow.intake.mapfile import typed_wishes, zone_named

    with plain_errors():
        app = opened(workspace)
        wishes = typed_wishes(
            map=map or [],
            constant=constant or [],
            null=null or [],
            date_format=date_format or [],
            first_seen=first_seen,
            template_address=template_address,
        )
        table = _table(file, encoding=encoding, delimiter=delimiter)
        if looks_like_deals(kind, table, wishes):
            _deals(app, table, wishes, zone_named(zone), dry_run=dry_run)
        else:
            grounds = LegalGrounds(basis=basis, source=source, informed_on=informed_on, no_mail=no_mail)
            _leads(app, table, wishes, grounds, zone_named(zone), dry_run=dry_run)


def _table(file: Path, *, encoding: str, delimiter: str | None) -> "CsvFile":
    from leadflow.intake.csvfile import open_csv

    spelt = {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter)
    with console.status(_("looking through {file}").format(file=file.name)):
        return open_csv(file, encoding=encoding, delimiter=spelt)


def _leads(
    app: "App",
    table: "CsvFile",
    wishes: "Wishes",
    grounds: "LegalGrounds",
    zone: "ZoneInfo | None",
    *,
    dry_run: bool,
) -> None:
    from leadflow.ask.mailable import mailable
    from leadflow.intake.leads import import_leads
    from leadflow.intake.mapping import map_columns

    mapping = map_columns(table, wishes, app.playbook.fields)
    say_mapping(mapping)
    now = datetime.now(UTC)
    found: dict[Reason | None, int] = {}
    with _bar(table.path) as progress:
        counted = import_leads(
            app.engine,
            app.playbook,
            table,
            mapping,
            grounds=grounds,
            key=app.settings.key(),
            now=now,
            zone=zone,
            dry_run=dry_run,
            progress=progress,
            look=lambda session, so_far: found.update(mailable(session, app.playbook, so_far.lead_ids, now)),
        )
    say_counts(counted, _("people"), dry_run=dry_run)
    say_mailable(found)


def _deals(app: "App", table: "CsvFile", wishes: "Wishes", zone: "ZoneInfo | None", *, dry_run: bool) -> None:
    from leadflow.intake.deals import import_deals, map_deals

    mapping = map_deals(table, wishes)
    say_mapping(mapping)
    with _bar(table.path) as progress:
        counted = import_deals(
            app.engine,
            app.playbook,
            table,
            mapping,
            now=datetime.now(UTC),
            zone=zone,
            dry_run=dry_run,
            progress=progress,
        )
    say_counts(counted, _("deals"), dry_run=dry_run)


@contextmanager
def _bar(path: Path) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(path.name, total=path.stat().st_size if path.exists() else None)
        yield lambda done: bar.update(task, completed=done)


def event(
    kind: Annotated[str, typer.Argument(help="page_viewed, demo_requested … as declared in config/leadflow.yaml.")],
    email: Annotated[str | None, typer.Option(help="Whose act it was.")] = None,
    visitor: Annotated[str | None, typer.Option(help="… or the visitor's id.")] = None,
    path: Annotated[str | None, typer.Option(help="Page or document.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="When, ISO; default: now.")] = None,
    detail: Annotated[list[str] | None, typer.Option("--detail", help="NAME=VALUE, a declared detail.")] = None,
    id: Annotated[str | None, typer.Option("--id", help="Told twice with one id, it counts once.")] = None,
    workspace: Workspace = None,
) -> None:
    """Record one act; the next sweep counts it."""
    from uuid import uuid4

    from leadflow.intake.mapfile import pairs_of
    from leadflow.intake.replay import store_act

    with plain_errors():
        app = opened(workspace)
        now = datetime.now(UTC)
        told: dict[str, Any] = {
            "event": kind,
            "email": email,
            "visitor": visitor,
            "path": path,
            "id": id or uuid4().hex,
        }
        told["at"] = instant(app, at).isoformat() if at else now.isoformat()
        told["properties"] = pairs_of("--detail", detail or [])
        store_act(app.engine, app.playbook, {name: value for name, value in told.items() if value}, now=now)
    console.print(_("noted: the next sweep counts it"))


def replay(
    file: Annotated[Path, typer.Argument(help="An act a line, as JSON, or a provider's events.", show_default=False)],
    workspace: Workspace = None,
) -> None:
    """Record acts and provider events from a file; told twice, they count once."""
    from leadflow.intake.replay import replay_file

    with plain_errors():
        app = opened(workspace)
        with _bar(file) as progress:
            counted = replay_file(app.engine, app.playbook, file, now=datetime.now(UTC), progress=progress)
        words = _("{lines} lines = {acts} acts + {provider} of a provider + {rejected} rejected")
        provider = counted.lines - counted.acts - counted.rejected
        numbers = {"lines": counted.lines, "acts": counted.acts, "rejected": counted.rejected}
        console.print(words.format(provider=provider, **numbers), markup=False)
        for line, reason in counted.first_rejected:
            console.print(f"  {file.name}:{line}  {reason}", markup=False, style="red", soft_wrap=True)
        say_more(counted.rejected - len(counted.first_rejected))
        if counted.rejected == counted.lines:
            raise UsageError(_("nothing was taken in"))


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("import")(import_file)
    app.command()(event)
    app.command()(replay)

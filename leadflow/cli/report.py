"""`leadflow report`: the funnel as cohorts, the emails, the salespeople, the oddities; as text, CSV, JSON or a page."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from leadflow.cli.common import At, Workspace, console, lived_instant, opened, plain_errors
from leadflow.errors import UsageError
from leadflow.text import _

if TYPE_CHECKING:
    from leadflow.app import App
    from leadflow.ask.report.reached import Question
    from leadflow.ask.report.sheet import Sheet

#: A terminal shows so many oddities; CSV and JSON have them all.
_SHOWN = 40


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


def report(
    workspace: Workspace = None,
    by: Annotated[str, typer.Option("--by", help="source, month, segment or owner.")] = "source",
    emails: Annotated[bool, typer.Option("--emails", help="What each email did.")] = False,
    sales: Annotated[bool, typer.Option("--sales", help="What each salesperson made of their hand-overs.")] = False,
    odd: Annotated[bool, typer.Option("--odd", help="People whose history does not fit together.")] = False,
    age: Annotated[
        int | None, typer.Option("--age", min=0, help="Compare people as they were so many days after first contact.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First month, such as 2026-01, or day, such as 2026-01-31.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last month or day.")] = None,
    at: At = None,
    form: Annotated[Format, typer.Option("--format", help="table, csv, json, or html: one page with all of it.")] = (
        Format.TABLE
    ),
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
) -> None:
    """From lead to customer: people who entered together, each counted once."""
    with plain_errors():
        if emails + sales + odd > 1:
            raise UsageError(_("write one of --emails, --sales and --odd"))
        app = opened(workspace)
        question = _question(app, by, first, last, age, at)
        if form is Format.HTML:
            _write(_page(app, question), output, _("the report is in {file}"))
            return
        view = "emails" if emails else "sales" if sales else "odd" if odd else "funnel"
        sheet = _sheet(app, question, view)
        if form is Format.TABLE and output is None:
            _show(sheet, view)
            return
        _write(_written(sheet, form, question), output, _("the report is in {file}"))


def _question(app: "App", by: str, first: str | None, last: str | None, age: int | None, at: str | None) -> "Question":
    from leadflow.ask.report.period import read_period
    from leadflow.ask.report.reached import GROUPS, Question

    if by not in GROUPS:
        raise UsageError(_("--by {by}: write source, month, segment or owner").format(by=by))
    stages = [stage.name for stage in app.playbook.journey.stages]
    period = read_period(first, last, app.office)
    return Question(by=by, stages=stages, zone=app.office, period=period, age=age, now=lived_instant(app, at))


def _sheet(app: "App", question: "Question", view: str) -> "Sheet":
    from sqlalchemy.orm import Session

    from leadflow.ask.report.collect import sheet_of
    from leadflow.cli._edits import last_edits

    edits = last_edits(app.settings.workspace) if view == "emails" else {}
    with Session(app.engine) as session:
        return sheet_of(session, app.playbook, question, view, edits)


def _page(app: "App", question: "Question") -> str:
    from sqlalchemy.orm import Session

    from leadflow.ask.report.collect import everything
    from leadflow.ask.report.page import page_of
    from leadflow.cli._edits import last_edits

    edits = last_edits(app.settings.workspace)
    with Session(app.engine) as session:
        return page_of(everything(session, app.playbook, question, edits), app.playbook)


def _written(sheet: "Sheet", form: Format, question: "Question") -> str:
    from leadflow.ask.report.sheet import as_csv, as_json

    match form:
        case Format.CSV:
            return as_csv(sheet)
        case Format.JSON:
            asked = {"from": question.period.first, "to": question.period.last, "age": question.age}
            told = {**as_json(sheet), **asked, "as_of": question.now.isoformat() if question.now else None}
            return json.dumps(told, ensure_ascii=False, indent=2) + "\n"
        case _:
            return "\n".join("\t".join(row) for row in sheet.texts) + "\n"


def _write(text: str, output: Path | None, said: str) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    console.print(said.format(file=output), markup=False, soft_wrap=True)


def _show(sheet: "Sheet", view: str) -> None:
    if not sheet.rows:
        nothing = {
            "emails": _("nothing was sent in these months"),
            "sales": _("nobody was handed over in these months"),
            "odd": _("nothing is odd"),
        }
        console.print(nothing.get(view, _("nobody entered in these months")))
        return
    heading = Text(sheet.title, style="bold")
    console.print(heading.append(f" · {sheet.lead}", style="not bold") if sheet.lead else heading)
    table = _table(sheet)
    # As wide as it would be without an edge.
    if console.measure(table, options=console.options.update(width=1000)).maximum > console.width:
        table = _table(sheet, rates=False)
    console.print(table)
    if len(sheet.rows) > _SHOWN and view == "odd":
        console.print(_("… and {n} more: --format csv has them all").format(n=len(sheet.rows) - _SHOWN))
    for note in sheet.notes:
        console.print(note, style="dim", markup=False)


def _table(sheet: "Sheet", *, rates: bool = True) -> Table:
    """A rate stands close to the count it belongs to; a word that is too long goes on in the next line, whole."""
    from leadflow.ask.report.sheet import Kind

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    chosen = [place for place, column in enumerate(sheet.columns) if rates or column.title or not place]
    for place in chosen:
        column = sheet.columns[place]
        text = column.kind is Kind.TEXT
        title = column.title if not place or text or not column.title else f" {column.title}"
        style = None if column.title or text else "dim"
        table.add_column(title, justify="left" if text else "right", style=style, overflow="fold")
    rows = list(sheet.texts)
    shown = rows[:_SHOWN] if sheet.name == "odd" else rows
    for number, row in enumerate(shown, start=1):
        last = sheet.total and number == len(rows)
        table.add_row(*(Text(row[place]) for place in chosen), style="bold" if last else None)
    return table


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(report)

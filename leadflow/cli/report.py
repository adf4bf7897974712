"""`leadflow report`: the funnel as cohorts, by source or by month of entry."""

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from leadflow.cli.common import Workspace, console, opened, plain_errors
from leadflow.errors import UsageError
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.ask.funnel import Cohort

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def report(
    workspace: Workspace = None,
    by: Annotated[str, typer.Option("--by", help="source or month.")] = "source",
    first: Annotated[str | None, typer.Option("--from", help="First month of entry, such as 2026-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last month of entry.")] = None,
) -> None:
    """From lead to customer: people who entered together, each counted once."""
    from sqlalchemy.orm import Session

    from leadflow.ask.funnel import cohorts

    with plain_errors():
        if by not in ("source", "month"):
            raise UsageError(_("--by {by}: write source or month").format(by=by))
        for option, month in (("--from", first), ("--to", last)):
            if month is not None and not _MONTH.fullmatch(month):
                raise UsageError(
                    _("{option} {month}: write a month such as 2026-01").format(option=option, month=month)
                )
        app = opened(workspace)
        stages = [stage.name for stage in app.playbook.journey.stages]
        with Session(app.engine) as session:
            found = cohorts(session, by=by, stages=stages, zone=app.office, first=first, last=last)
    if not found:
        console.print(_("nobody entered in these months"))
        return
    console.print(_table(found, by, stages[1:]))
    _notes(found)


def _table(found: "list[Cohort]", by: str, stages: list[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(_("source") if by == "source" else _("month"))
    for title in (_("people"), *stages, _("prospect"), _("customer"), _("amount")):
        table.add_column(title, justify="right")
    table.add_column(_("days to prospect"), justify="right")
    table.add_column(_("days to customer"), justify="right")
    for cohort in found:
        name = _("(source empty)") if cohort.name is None else cohort.name
        style = "bold" if cohort is found[-1] else None
        table.add_row(_("total") if cohort is found[-1] else name, *_cells(cohort), style=style)
    return table


def _cells(cohort: "Cohort") -> list[str]:
    from leadflow.ask.funnel import rate

    cells, before = [str(cohort.people)], cohort.people
    for reached in (*cohort.stages, cohort.prospects):
        cells.append(f"{reached}  {_percent(rate(reached, before))}")
        before = reached
    cells.append(f"{cohort.customers}  {_percent(cohort.win_rate)}")
    cells.append(f"{cohort.amount / 100:,.0f}" if cohort.amount else "–")
    return [*cells, _days(cohort.days_to_prospect), _days(cohort.days_to_customer)]


def _percent(value: float | None) -> str:
    return "   ·  " if value is None else f"{value:6.1%}"


def _days(value: float | None) -> str:
    return "·" if value is None else f"{value:.2f}"


def _notes(found: "list[Cohort]") -> None:
    total = found[-1]
    console.print(
        _("· no rate: fewer than 20 people before it. A customer's rate is per person, the others' per step before.")
    )
    if any(_skipped(cohort) for cohort in found):
        console.print(_("· nor where more people reached a step than the one before: some skip a step."))
    if total.won_before:
        text = ngettext(
            "{n} customer was won before first contact (imported): counted here, and never a rate of its own.",
            "{n} customers were won before first contact (imported): counted here, and never a rate of their own.",
            total.won_before,
        )
        console.print(text.format(n=total.won_before))
    if total.won_late:
        console.print(
            ngettext(
                "{n} customer was won more than 90 days after first contact.",
                "{n} customers were won more than 90 days after first contact.",
                total.won_late,
            ).format(n=total.won_late)
        )


def _skipped(cohort: "Cohort") -> bool:
    steps = (cohort.people, *cohort.stages, cohort.prospects)
    return any(after > before for before, after in pairwise(steps))


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(report)

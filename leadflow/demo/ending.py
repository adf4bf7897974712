"""The demo's last screen: the funnel, the mails, tonight, the hand-overs, and what to type next."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from leadflow.ask.funnel import Cohort, cohorts, rate
from leadflow.ask.words import reason_words
from leadflow.demo.figures import (
    by_stage,
    examples,
    handed_over,
    mail_figures,
    sales_figures,
    standing,
)
from leadflow.demo.nights import Lived
from leadflow.text import _
from leadflow.types import Lifecycle, Reason


def show_ending(console: Console, lived: Lived, *, seconds: float, ui: str) -> None:
    """Print it all; names and addresses appear here, in the terminal of the person who asked, and nowhere else."""
    app, last = lived.app, lived.nights[-1]
    with Session(app.engine) as session:
        console.print(_title(lived, seconds), style="bold", markup=False)
        console.print()
        console.print(_funnel(session, lived))
        console.print(_now(session, lived))
        for line in _mails(session):
            console.print(line, markup=False)
        console.print()
        console.print(_heading(_("THE MAIL CHANGES WITH THE PERSON")), markup=False)
        console.print(_changes(session, lived))
        for line in _tonight(session, lived):
            console.print(line, markup=False)
        console.print()
        for line in _sales(session, lived):
            console.print(line, markup=False)
    console.print()
    for line in _next(lived, f"{last.astimezone(app.office):%Y-%m-%d}", ui):
        console.print(line, markup=False, soft_wrap=True)


def _title(lived: Lived, seconds: float) -> str:
    first, last = (night.astimezone(lived.app.office) for night in (lived.nights[0], lived.nights[-1]))
    return "  leadflow · " + _(
        "{n} nights lived in {seconds:.0f} s · {first} → {last} · playbook {playbook} "
        "(seed {seed}: run it again, read the same)"
    ).format(
        n=len(lived.nights),
        seconds=seconds,
        first=f"{first:%d %B}",
        last=f"{last:%d %B %Y}",
        playbook=lived.app.playbook.short,
        seed=lived.seed,
    )


def _heading(text: str) -> str:
    return f"  {text}"


def _funnel(session: Session, lived: Lived) -> Table:
    stages = [stage.name for stage in lived.app.playbook.journey.stages]
    total = cohorts(session, by="source", stages=stages, zone=lived.app.office)[-1]
    table = Table(box=None, header_style="bold", pad_edge=True)
    table.add_column(_("FUNNEL"))
    for title in (_("people"), _("of those before"), _("median days")):
        table.add_column(title, justify="right")
    for name, people, before, days in _steps(total, stages):
        # Sales may take somebody who skipped a stage: no share of those before can be said then.
        share = rate(people, before) if people <= before else None
        table.add_row(name, str(people), "" if share is None else f"{share:.0%}", "" if days is None else f"{days:.0f}")
    return table


def _steps(total: Cohort, stages: list[str]) -> Iterator[tuple[str, int, int, float | None]]:
    before = 0
    for name, people in zip(stages, (total.people, *total.stages), strict=True):
        yield name, people, before, None
        before = people
    yield Lifecycle.PROSPECT, total.prospects, before, total.days_to_prospect
    yield Lifecycle.CUSTOMER, total.customers, total.prospects, total.days_to_customer


def _now(session: Session, lived: Lived) -> Table:
    stages = [stage.name for stage in lived.app.playbook.journey.stages]
    counts = standing(session)
    table = Table(box=None, header_style="bold", pad_edge=True)
    table.add_column(_("NOW"))
    for name in (*stages, _("total")):
        table.add_column(name, justify="right")
    for life in Lifecycle:
        cells = [counts.get((life, stage), 0) for stage in stages]
        total = sum(cells) + counts.get((life, ""), 0)
        table.add_row(life, *(str(n) if n else "" for n in cells), str(total))
    table.add_row("", *([""] * len(stages)), str(sum(counts.values())), style="bold")
    return table


def _mails(session: Session) -> Iterator[str]:
    m = mail_figures(session)
    yield _(
        "  MAIL    {planned} planned = {accepted} accepted · {suppressed} suppressed · {failed} failed · "
        "{unknown} unknown · {waiting} waiting for 09:00"
    ).format(
        planned=m.planned,
        accepted=m.accepted,
        suppressed=m.suppressed,
        failed=m.failed,
        unknown=m.unknown,
        waiting=m.waiting,
    )
    lost = m.planned - m.accepted - m.suppressed - m.failed - m.unknown - m.waiting
    yield _(
        "          {accepted} accepted = {delivered} delivered · {bounced} bounced · {silent} no news yet"
        "       {twice} sent twice    {lost} lost"
    ).format(accepted=m.accepted, delivered=m.delivered, bounced=m.bounced, silent=m.silent, twice=m.twice, lost=lost)


def _changes(session: Session, lived: Lived) -> Table:
    playbook = lived.app.playbook
    table = Table(box=None, show_header=False, pad_edge=True)
    for one in examples(session, playbook):
        subject = playbook.emails[one.email].subject.get(one.language, "")
        table.add_row(one.segment, one.band, one.stage, one.language, one.email, f"“{subject}”")
    return table


def _tonight(session: Session, lived: Lived) -> Iterator[str]:
    night = lived.told[-1]
    stages = "  ".join(f"{stage} {n}" for stage, n in sorted(by_stage(session, lived.nights[-1]).items()))
    yield _("  TONIGHT  {mailed} mails for {people} people ({stages})").format(
        mailed=night.mailed, people=night.people, stages=stages
    )
    yield _("           {n} get nothing, and each has a reason:").format(n=night.people - night.mailed)
    yield from _in_columns(night.skipped)


def _in_columns(skipped: Mapping[Reason, int]) -> Iterator[str]:
    cells = [f"{n:>5} {reason_words(reason)}" for reason, n in sorted(skipped.items(), key=lambda item: -item[1])]
    for start in range(0, len(cells), 4):
        yield "        " + "".join(f"{cell:<36}" for cell in cells[start : start + 4]).rstrip()


def _sales(session: Session, lived: Lived) -> Iterator[str]:
    s = sales_figures(session, lived.nights[-1])
    yield _(
        "  HANDED TO SALES   since the first night: {given} = {accepted} accepted · {rejected} rejected · "
        "{waiting} waiting · {late} late · {lapsed} lapsed"
    ).format(given=s.given, accepted=s.accepted, rejected=s.rejected, waiting=s.waiting, late=s.late, lapsed=s.lapsed)
    for row in handed_over(session, lived.nights[-2])[:5]:
        name = " ".join(part for part in (row.first_name, row.last_name) if part)
        due = row.due_at.astimezone(lived.app.office)
        yield f"  {name:<18}{row.company or '':<26}{row.band:<4}→ {row.rep:<8}{row.rule:<34}" + _("by {due}").format(
            due=f"{due:%d %B %H:%M}"
        )


def _command() -> str:
    """How `leadflow` is called from here: by name where the shell finds it, else by its place."""
    program = Path(sys.argv[0])
    if program.name != "leadflow" or shutil.which("leadflow"):
        return "leadflow"
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)


def _next(lived: Lived, last: str, ui: str) -> Iterator[str]:
    place, leadflow = lived.app.settings.workspace, _command()
    where = "" if place == Path() else f" --workspace {place}"
    yield _("  LOOK     the mails         {outbox}   (.eml: double-click)").format(outbox=place / "outbox")
    yield _("           {n} nights         {leadflow} ui{where}   → {ui}/runs").format(
        n=len(lived.nights), leadflow=leadflow, where=where, ui=ui
    )
    yield f"  ASK      {leadflow} why claire.morel@vannes-loire.example{where}"
    yield f"           {leadflow} why luc.perrin@perrin-tp.example{where}"
    yield f"           {leadflow} plan --at {_day_after(last)}{where}"
    yield _("  CHANGE   edit segments/manufacturers.yaml there, then:  {leadflow} check{where}").format(
        leadflow=leadflow, where=where
    )
    yield _("  AGAIN    make demo SEED=7            everything lives in {place}; delete it and nothing is left").format(
        place=place
    )


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()

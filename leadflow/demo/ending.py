"""The demo's last screen: the funnel, the mails, tonight, the hand-overs, and what to type next."""

import shutil
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from leadflow.ask.funnel import funnel
from leadflow.ask.person import find_lead
from leadflow.ask.report import numbers
from leadflow.ask.report.flows import standing
from leadflow.ask.report.funnel_sheets import standing_sheet, steps_sheet
from leadflow.ask.report.period import ALWAYS
from leadflow.ask.report.reached import Question
from leadflow.ask.report.sheet import Kind, Sheet
from leadflow.ask.report.words import step_words
from leadflow.ask.section import weekday
from leadflow.ask.words import reason_words
from leadflow.demo.figures import by_stage, examples, handed_over, mail_figures, sales_figures, why_now
from leadflow.demo.nights import Lived
from leadflow.eligibility import reason_tonight
from leadflow.errors import UsageError
from leadflow.text import _, current_language, ngettext

#: Room for two tables beside each other.
_WIDE = 116
_MARGIN = " " * 11
_ASKED = ("claire.morel@vannes-loire.example", "luc.perrin@perrin-tp.example")


def show_ending(console: Console, lived: Lived, *, seconds: float, ui: str) -> None:
    """Print it all; names and addresses appear here, in the terminal of the person who asked, and nowhere else."""
    with Session(lived.app.engine) as session:
        console.print(_title(lived, seconds), style="bold", markup=False, soft_wrap=True)
        console.print()
        console.print(_people(session, lived, console.width))
        console.print()
        for line in _mails(session):
            console.print(line, markup=False, soft_wrap=True)
        console.print()
        _show_changes(console, session, lived)
        for line in _tonight(session, lived, console.width):
            console.print(line, markup=False, soft_wrap=True)
        console.print()
        _show_sales(console, session, lived)
        console.print()
        for line in _next(session, lived, ui):
            console.print(line, markup=False, soft_wrap=True)


def _title(lived: Lived, seconds: float) -> str:
    first, last = (night.astimezone(lived.app.office).date() for night in (lived.nights[0], lived.nights[-1]))
    same_month = (first.year, first.month) == (last.year, last.month)
    return "  leadflow · " + _(
        "{n} nights lived in {seconds:.0f} s · {first} → {last} · playbook {playbook} "
        "(seed {seed}: run it again, read the same)"
    ).format(
        n=len(lived.nights),
        seconds=seconds,
        first=first.day if same_month else numbers.day(first),
        last=numbers.day(last, year=True),
        playbook=lived.app.playbook.short,
        seed=lived.seed,
    )


def _people(session: Session, lived: Lived, width: int) -> Table:
    """How far everybody came, and where they stand now: beside each other where there is room."""
    stages = [stage.name for stage in lived.app.playbook.journey.stages]
    question = Question(by="source", stages=stages, zone=lived.app.office, now=lived.nights[-1])
    total = funnel(session, question).total
    tables = [_sheet(_("FUNNEL"), steps_sheet(total, stages))] if total else []
    tables.append(_sheet(_("NOW"), standing_sheet(standing(session, ALWAYS), stages)))
    grid = Table.grid(padding=(0, 6, 0, 0))
    if width >= _WIDE:
        grid.add_row(*tables)
    else:
        for table in tables:
            grid.add_row(table)
    return grid


def _sheet(title: str, sheet: Sheet) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for place, column in enumerate(sheet.columns):
        text = column.kind is Kind.TEXT
        table.add_column(column.title if place else f"  {title}", justify="left" if text else "right", no_wrap=True)
    for number, row in enumerate(sheet.texts, start=1):
        last = sheet.total and number == len(sheet.rows)
        # A stage nobody stands in says nothing.
        cells = ["" if cell == numbers.NOTHING and sheet.total else cell for cell in row[1:]]
        table.add_row(f"  {row[0]}", *cells, style="bold" if last else None)
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


def _show_changes(console: Console, session: Session, lived: Lived) -> None:
    """People of one night and one step whose mails differ."""
    playbook = lived.app.playbook
    found = examples(session, playbook)
    if found is None:
        return
    words = ngettext(
        "the night of {night}, one step of {sequence} ({step}), {n} person",
        "the night of {night}, one step of {sequence} ({step}), {n} people",
        len(found.people),
    )
    night = numbers.day(found.planned_at.astimezone(lived.app.office).date())
    what = words.format(night=night, sequence=found.sequence, step=found.step, n=len(found.people))
    console.print(_heading(_("THE MAIL CHANGES WITH THE PERSON"), what), soft_wrap=True)
    table = Table.grid(padding=(0, 3, 0, 0))
    for one in found.people:
        title = playbook.segments[one.segment].title if one.segment in playbook.segments else {}
        segment = title.get(current_language(), one.segment) if one.segment else _("in no segment")
        subject = playbook.emails[one.email].subject.get(one.language, "")
        quoted = _("“{words}”").format(words=subject)
        table.add_row(f"  {segment}", one.band, step_words(one.stage), one.language, one.email, Text(quoted))
    console.print(table)
    console.print()


def _heading(title: str, more: str) -> Text:
    return Text(f"  {title}", style="bold").append(f"   {more}", style="not bold")


def _label(word: str) -> str:
    return f"  {word:<8} "


def _tonight(session: Session, lived: Lived, width: int) -> Iterator[str]:
    night, stages = lived.told[-1], lived.app.playbook.journey.stages
    counts = by_stage(session, lived.nights[-1])
    said = ", ".join(f"{step_words(stage.name)} {counts.get(stage.name, 0)}" for stage in stages)
    words = ngettext(
        "{n} mail for {people} people ({stages})", "{n} mails for {people} people ({stages})", night.mailed
    )
    yield _label(_("TONIGHT")) + words.format(n=night.mailed, people=night.people, stages=said)
    yield _MARGIN + _("{n} get nothing, and each has a reason:").format(n=night.people - night.mailed)
    cells = [(n, reason_words(reason)) for reason, n in sorted(night.skipped.items(), key=lambda item: -item[1])]
    room = max((len(words) for _n, words in cells), default=0) + 8
    many = max(1, min(4, (width - len(_MARGIN)) // room))
    for start in range(0, len(cells), many):
        row = cells[start : start + many]
        yield _MARGIN + "".join(f"{f'{n:>3} {words}':<{room}}" for n, words in row).rstrip()


def _show_sales(console: Console, session: Session, lived: Lived) -> None:
    zone, last = lived.app.office, lived.nights[-1]
    s = sales_figures(session, last)
    parts = [
        ngettext("{n} accepted", "{n} accepted", s.accepted).format(n=s.accepted),
        ngettext("{n} rejected", "{n} rejected", s.rejected).format(n=s.rejected),
        _("{n} waiting").format(n=s.waiting),
        _("{n} late").format(n=s.late),
        *([_("{n} lapsed").format(n=s.lapsed)] if s.lapsed else []),
    ]
    words = _("since {day}: {given} = {parts}")
    since = numbers.day(lived.nights[0].astimezone(zone).date())
    said = words.format(day=since, given=s.given, parts=" · ".join(parts))
    console.print(_heading(_("HANDED TO SALES TONIGHT"), said), soft_wrap=True)
    # What came in by day, after the night before, was handed over at once.
    rows = handed_over(session, lived.nights[-2] if len(lived.nights) > 1 else last)
    if not rows:
        console.print(_("  nobody"), markup=False)
    table = Table.grid(padding=(0, 3, 0, 0))
    for row in rows:
        name = " ".join(part for part in (row.first_name, row.last_name) if part)
        due = _("by {due}").format(due=_moment(row.due_at, last, lived))
        why = why_now(session, lived.app.playbook, row)
        table.add_row(f"  {name}", row.company or "", row.band, f"→ {row.rep}", Text(why), due)
    console.print(table)


def _moment(at: datetime, tonight: datetime, lived: Lived) -> str:
    """13:00, with the day where it is not the one that begins."""
    local, today = at.astimezone(lived.app.office), tonight.astimezone(lived.app.office).date()
    return f"{local:%H:%M}" if local.date() == today else f"{weekday(local)} {local:%H:%M}"


def _command() -> str:
    """How `leadflow` is called from here: by name where the shell finds it, else by its place."""
    program = Path(sys.argv[0])
    if program.name != "leadflow" or shutil.which("leadflow"):
        return "leadflow"
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)


def _next(session: Session, lived: Lived, ui: str) -> Iterator[str]:
    place, leadflow = lived.app.settings.workspace, _command()
    where = "" if place == Path() else f" --workspace {place}"
    tomorrow = lived.nights[-1].astimezone(lived.app.office).date() + timedelta(days=1)
    nights = ngettext("{n} night", "{n} nights", len(lived.nights)).format(n=len(lived.nights))
    page = f"{leadflow} report --format html -o {place / 'report.html'}{where}"
    yield _label(_("LOOK")) + f"{_('the mails'):<18}{place / 'outbox'}   " + _("(.eml: double-click)")
    yield f"{_MARGIN}{nights:<18}{leadflow} ui{where}   → {ui}/runs"
    yield f"{_MARGIN}{_('the report'):<18}{page}"
    for start, address in zip((_label(_("ASK")), _MARGIN), _ASKED, strict=True):
        yield f"{start}{leadflow} why {address}{where}" + _silence(session, lived, address)
    yield f"{_MARGIN}{leadflow} plan --at {tomorrow}{where}   " + _("(tomorrow, before it happens)")
    yield from _visit(lived, f"{leadflow} serve{where}", f"{leadflow} preview{where}")
    yield _("  CHANGE   edit segments/manufacturers.yaml there, then:  {leadflow} check{where}").format(
        leadflow=leadflow, where=where
    )
    yield _("  AGAIN    make demo SEED=7            everything lives in {place}; delete it and nothing is left").format(
        place=place
    )


def _visit(lived: Lived, serve: str, preview: str) -> Iterator[str]:
    """What a visitor sees: a page, a form, and any mail as any lead would."""
    playbook, door = lived.app.playbook, lived.app.settings.public_url
    # What stands behind a form is not where a visitor begins.
    begins = [f"{door}/p/{name}" for name, page in playbook.pages.items() if page.listed]
    shown = begins[:1] + [f"{door}/f/{name}" for name in [*playbook.forms][:1]]
    yield _label(_("VISIT")) + serve + (f"   → {' · '.join(shown)}" if shown else "")
    yield f"{_MARGIN}{preview}   " + _("(every mail, as any lead would see it)")


def _silence(session: Session, lived: Lived, address: str) -> str:
    """Said of somebody whom tonight gives nothing."""
    try:
        lead_id = find_lead(session, address)
    except UsageError:
        return ""
    nothing = reason_tonight(session, lived.app.playbook, lived.nights[-1], lead_id)
    return "" if nothing is None else "   " + _("(who got nothing tonight)")

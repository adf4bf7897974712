"""`leadflow outbox`: what is where and why, by state, purpose and hour; ids, and addresses only when asked for."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leadflow.cli.common import At, Workspace, console, lived_instant, opened, plain_errors
from leadflow.errors import UsageError
from leadflow.text import _
from leadflow.types import MessageState

if TYPE_CHECKING:
    from datetime import datetime

    from rich.table import Table

    from leadflow.app import App
    from leadflow.ask.outbox import Outbox

State = Annotated[str | None, typer.Option("--state", help="List the messages of this state, such as unknown.")]
Limit = Annotated[int, typer.Option("--limit", help="List so many at most.", min=1)]
Addresses = Annotated[
    bool, typer.Option("--show-addresses", help="List addresses too: not for logs, tickets or screenshots.")
]

_BAR = 30


def outbox(
    workspace: Workspace = None,
    state: State = None,
    limit: Limit = 50,
    show_addresses: Addresses = False,
    at: At = None,
) -> None:
    """What is where and why: all mail by state and cause, by purpose, by hour; with --state, message by message."""
    from sqlalchemy.orm import Session

    from leadflow.ask import outbox as asking

    with plain_errors():
        app = opened(workspace)
        now = lived_instant(app, at)
        if state is not None:
            _list(app, now, _state(state), limit, show_addresses)
            return
        with Session(app.engine) as session:
            found = asking.outbox(session, app.playbook, now, provider=app.settings.esp)
    _show(app, found, now)


def _state(word: str) -> MessageState:
    if word not in {*MessageState}:
        told = _("{word} is no state. One of: {names}")
        raise UsageError(told.format(word=word, names=", ".join(MessageState)))
    return MessageState(word)


def _show(app: "App", found: "Outbox", now: "datetime") -> None:
    from leadflow.ask.section import minute, weekday

    local = now.astimezone(app.office)
    head = _("OUTBOX as of {day} {at} · {provider} · playbook {version}")
    words = head.format(
        day=weekday(local), at=minute(now, app.office), provider=app.settings.esp, version=app.playbook.version[:6]
    )
    console.print(words, style="bold", markup=False)
    if not found.lines:
        console.print("  " + _("no message has been planned yet"))
        return
    console.print(_table(app, found))
    _say_outage(app, found)
    if found.hours:
        console.print(_hours(app, found))
    if found.oldest_due is not None and found.oldest_due < now:
        told = _("the longest wait: due since {at}")
        console.print(told.format(at=minute(found.oldest_due, app.office)), markup=False)


def _table(app: "App", found: "Outbox") -> "Table":
    from leadflow.ask.outbox_words import state_words, why_words
    from leadflow.ask.report.numbers import whole
    from leadflow.ask.section import minute

    table = _columns(_("state"), ">" + _("mails"), _("why"), _("first due"))
    named = sorted({stream for line in found.lines for stream in line.streams})
    for stream in named:
        table.add_column(stream, justify="right", no_wrap=True)
    last = None
    for line in found.lines:
        state = state_words(line.state) if line.state is not last else ""
        by_stream = (whole(line.streams[name]) if name in line.streams else "" for name in named)
        why = why_words(line.state, line.why)
        table.add_row(state, whole(line.n), why, minute(line.oldest, app.office), *by_stream, style=_style(line.why))
        last = line.state
    sums = (whole(sum(line.streams.get(name, 0) for line in found.lines)) for name in named)
    table.add_row("", whole(sum(line.n for line in found.lines)), _("in all"), "", *sums, style="bold")
    return table


def _style(why: str) -> str | None:
    return "yellow" if why in ("gone", "overdue", "held", "unknown_outcome", "refused", "render_failed") else None


def _hours(app: "App", found: "Outbox") -> "Table":
    from leadflow.ask.report.numbers import whole

    table = _columns(_("hour"), ">" + _("accepted"), ">" + _("planned"), "")
    most = max(max(hour.accepted, hour.planned) for hour in found.hours)
    for hour in found.hours:
        bar = "█" * -(-hour.accepted * _BAR // most) + "░" * -(-hour.planned * _BAR // most)
        at = f"{hour.at.astimezone(app.office):%H:%M}"
        table.add_row(at, whole(hour.accepted), whole(hour.planned), bar)
    return table


def _say_outage(app: "App", found: "Outbox") -> None:
    from leadflow.ask.section import minute

    if found.outage is not None:
        told = _("{provider} has taken no mail since {at} ({note}): one mail tries from time to time, the others wait")
        since = minute(found.outage.opened_at, app.office)
        words = told.format(provider=found.outage.provider, at=since, note=found.outage.note or "–")
        console.print(words, style="red", markup=False)


def _list(app: "App", now: "datetime", state: MessageState, limit: int, show_addresses: bool) -> None:
    from sqlalchemy.orm import Session

    from leadflow.ask import outbox as asking
    from leadflow.ask.outbox_words import why_words
    from leadflow.ask.section import minute

    with Session(app.engine) as session:
        rows = asking.listed(session, app.playbook, now, state, limit=limit + 1)
    table = _columns(">" + _("message"), _("lead"), _("email"), _("step"), _("to leave"), ">" + _("attempts"), _("why"))
    if show_addresses:
        table.add_column(_("address"))
    for row in rows[:limit]:
        note = f" ({row.note})" if row.note else ""
        cells: list[Any] = [str(row.id), f"L-{row.lead_id:04}", row.email, f"{row.sequence or '–'}/{row.step or '–'}"]
        cells += [minute(row.send_at, app.office), str(row.attempts), why_words(state, row.why) + note]
        table.add_row(*cells, *([row.address] if show_addresses else []))
    console.print(table if rows else _("no message is in that state"))
    if len(rows) > limit:
        console.print(_("… and more: --limit shows them"))


def _columns(*heads: str) -> "Table":
    """A table without rules; a heading that begins with > stands to the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for head in heads:
        # Of a screen too narrow the words are folded, never a figure or a date cut.
        justify: Literal["left", "right"] = "right" if head.startswith(">") else "left"
        table.add_column(head.removeprefix(">"), justify=justify, no_wrap=head != _("why"))
    return table


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(outbox)

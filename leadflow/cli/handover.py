"""`leadflow handover`: the open hand-overs, and what salespeople answer from a terminal."""

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow.cli.common import ActedAt, Workspace, acted_at, console, opened, plain_errors
from leadflow.errors import UsageError
from leadflow.text import _
from leadflow.types import Answer, EscalationState, Lifecycle

if TYPE_CHECKING:
    from rich.table import Table

    from leadflow.app import App
    from leadflow.intake.answers import Handover

Id = Annotated[int, typer.Argument(metavar="ID", help="Its number, as `leadflow handover list` shows it.", min=1)]
Reason = Annotated[str, typer.Option("--reason", help="One of those in config/sales.yaml.")]
By = Annotated[str | None, typer.Option("--by", help="Who answers, and takes it over when it is somebody else's.")]

_AMOUNT = re.compile(r"(?P<units>\d{1,12})(?:[.,](?P<cents>\d{2}))?")

group = typer.Typer(help="Leads that sales have: list them, and answer.", no_args_is_help=True)


@group.command("list")
def list_open(
    workspace: Workspace = None,
    rep: Annotated[str | None, typer.Option("--rep", help="Only this salesperson's.")] = None,
    at: ActedAt = None,
) -> None:
    """The open hand-overs, the most urgent first."""
    from sqlalchemy.orm import Session

    from leadflow.intake.answers import list_handovers

    with plain_errors():
        app = opened(workspace)
        now = acted_at(app, at)
        with Session(app.engine) as session:
            found = list_handovers(session, now, rep=rep)
        if not found:
            _check_sells(app, rep)
    console.print(_table(app, found) if found else _("nobody is waiting for sales"))


@group.command()
def accept(number: Id, workspace: Workspace = None, by: By = None, at: ActedAt = None) -> None:
    """Mine: the clock stops, and the lead is a prospect where the journey says so."""
    _answer(workspace, at, number, Answer.ACCEPT, who=by)


@group.command()
def later(
    number: Id,
    on: Annotated[str, typer.Option("--on", help="The day to come back to it, such as 2026-04-07.")],
    workspace: Workspace = None,
    by: By = None,
    at: ActedAt = None,
) -> None:
    """Not now: it comes back on that morning."""
    with plain_errors():
        day = _day(on)
    _answer(workspace, at, number, Answer.LATER, who=by, again_on=day)


@group.command()
def reject(
    number: Id,
    reason: Reason,
    workspace: Workspace = None,
    by: By = None,
    at: ActedAt = None,
) -> None:
    """Not ready: a lead again after a rest, or out of the game for some reasons."""
    _answer(workspace, at, number, Answer.REJECT, who=by, reason=reason)


@group.command()
def won(
    number: Id,
    amount: Annotated[str, typer.Option("--amount", help="What it was sold for, in units: 12000 or 12000.50.")],
    workspace: Workspace = None,
    by: By = None,
    at: ActedAt = None,
) -> None:
    """Sold: a customer, and every sequence stops."""
    with plain_errors():
        cents = _cents(amount)
    _answer(workspace, at, number, Answer.WON, who=by, amount=cents)


@group.command()
def lost(
    number: Id,
    reason: Reason,
    workspace: Workspace = None,
    by: By = None,
    at: ActedAt = None,
) -> None:
    """Not sold: a lead again after a rest."""
    _answer(workspace, at, number, Answer.LOST, who=by, reason=reason)


@group.command()
def note(
    number: Id,
    learned: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE…", help="Such as budget=5k_15k.")],
    workspace: Workspace = None,
    at: ActedAt = None,
) -> None:
    """What you learned: kept with its source and date, and not asked again."""
    from sqlalchemy.orm import Session

    from leadflow.intake.learned import learn

    with plain_errors():
        said = dict(_pair(text) for text in learned)
        app = opened(workspace)
        with Session(app.engine) as session, session.begin():
            learn(session, app.playbook, acted_at(app, at), number, said, key=app.settings.key())
    console.print(_("hand-over {id}: noted {fields}").format(id=number, fields=", ".join(said)), markup=False)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not value:
        raise UsageError(_("{text}: write FIELD=VALUE, such as budget=5k_15k").format(text=text))
    return name, value


def _answer(workspace: Any, at: str | None, number: int, said: Answer, **more: Any) -> None:
    from sqlalchemy.orm import Session

    from leadflow.intake.answers import answer

    with plain_errors():
        app = opened(workspace)
        now = acted_at(app, at)
        with Session(app.engine) as session, session.begin():
            done = answer(session, app.playbook, now, number, said, **more)
    words = _("hand-over {id}: {state}; now a {lifecycle}")
    if done.lifecycle is Lifecycle.DISQUALIFIED:
        words = _("hand-over {id}: {state}; now {lifecycle}")
    console.print(words.format(id=number, state=_state(done.state), lifecycle=_lifecycle(done.lifecycle)))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(_("--on {day}: write a date such as 2026-04-07").format(day=text)) from None


def _cents(text: str) -> int:
    """Cents of an amount typed in units."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise UsageError(_("--amount {amount}: write 12000 or 12000.50").format(amount=text))
    return int(found["units"]) * 100 + int(found["cents"] or 0)


def _check_sells(app: "App", rep: str | None) -> None:
    team = [one.name for one in (*app.playbook.sales.team, app.playbook.sales.manager)]
    if rep is not None and rep not in team:
        raise UsageError(_("{who} does not sell here. One of: {names}").format(who=rep, names=", ".join(team)))


def _table(app: "App", found: "list[Handover]") -> "Table":
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(_("id"), justify="right", no_wrap=True)
    for title in (_("who"), _("company"), _("band"), _("salesperson"), _("why"), _("state"), _("answer due")):
        table.add_column(title)
    for one in found:
        name = " ".join(part for part in (one.first_name, one.last_name) if part) or f"L-{one.lead_id:04}"
        state = _("late") if one.late else _state(one.state)
        due = f"{one.due_at.astimezone(app.office):%Y-%m-%d %H:%M}"
        cells = (str(one.id), name, one.company or "–", one.band, one.rep, one.rule, state, due)
        # Names come from outside: their brackets are no markup.
        table.add_row(*map(_plain, cells), style="red" if one.late else None)
    return table


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text)


def _state(state: EscalationState) -> str:
    return {
        EscalationState.WAITING: _("waiting"),
        EscalationState.ACCEPTED: _("accepted"),
        EscalationState.LATER: _("later"),
        EscalationState.REJECTED: _("rejected"),
        EscalationState.WON: _("won"),
        EscalationState.LOST: _("lost"),
        EscalationState.LAPSED: _("lapsed"),
        EscalationState.RECALLED: _("taken back"),
    }[state]


def _lifecycle(lifecycle: Lifecycle) -> str:
    return {
        Lifecycle.LEAD: _("lead"),
        Lifecycle.PROSPECT: _("prospect"),
        Lifecycle.CUSTOMER: _("customer"),
        Lifecycle.DISQUALIFIED: _("disqualified"),
    }[lifecycle]


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(group, name="handover")

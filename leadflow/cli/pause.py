"""`leadflow pause` and `leadflow resume`: mail stops before the next intent, and goes on spread over its hours."""

from typing import TYPE_CHECKING, Annotated

import typer

from leadflow.cli.common import ActedAt, ActedBy, Workspace, acted_at, console, opened, plain_errors, who_acts
from leadflow.errors import UsageError
from leadflow.text import _

if TYPE_CHECKING:
    from leadflow.app import App

Sequence = Annotated[str | None, typer.Option("--sequence", help="Only the mails of this sequence.")]
Email = Annotated[str | None, typer.Option("--email", help="Only this email.")]
Stream = Annotated[str | None, typer.Option("--stream", help="Only the mails of one purpose, newsletter say.")]
Everything = Annotated[bool, typer.Option("--all", help="All mail.")]


def pause(
    workspace: Workspace = None,
    sequence: Sequence = None,
    email: Email = None,
    stream: Stream = None,
    everything: Everything = False,
    by: ActedBy = None,
    at: ActedAt = None,
) -> None:
    """Stop mail before the next one begins to leave; without an option, list what is paused."""
    from leadflow.app import pause as stop
    from leadflow.app import pause_words

    with plain_errors():
        app = opened(workspace)
        chosen = _chosen(sequence, email, stream, everything)
        if chosen is not None:
            kind, name = chosen
            new = stop(app, acted_at(app, at), kind=kind, name=name, by=by or who_acts())
            words = _("{what}: paused, no further mail begins") if new else _("{what}: paused already")
            console.print(words.format(what=pause_words(kind, name)), markup=False)
        _list(app)


def resume(
    workspace: Workspace = None,
    sequence: Sequence = None,
    email: Email = None,
    stream: Stream = None,
    everything: Everything = False,
    by: ActedBy = None,
    at: ActedAt = None,
) -> None:
    """End a pause, and sweep: what it stopped is planned anew, spread over the hours to come."""
    from leadflow.app import held_nights, hold_words, pause_words, sweep
    from leadflow.app import resume as go_on
    from leadflow.types import Phase

    with plain_errors():
        app = opened(workspace)
        chosen = _chosen(sequence, email, stream, everything)
        if chosen is None:
            raise UsageError(_("name what goes on: --sequence, --email, --stream or --all"))
        kind, name = chosen
        now = acted_at(app, at)
        go_on(app, now, kind=kind, name=name, by=by or who_acts())
        outcomes = sweep(app, now)
        planned = next(outcome.changed for outcome in outcomes if outcome.phase is Phase.NURTURE)
        words = _("{what}: goes on; {n} planned anew, at their hours")
        console.print(words.format(what=pause_words(kind, name), n=planned), markup=False)
        for row in held_nights(app):
            console.print(hold_words(row), style="red", markup=False)
        _list(app)


def _chosen(sequence: str | None, email: str | None, stream: str | None, everything: bool) -> tuple[str, str] | None:
    given = [("sequence", sequence), ("email", email), ("stream", stream), ("all", "" if everything else None)]
    named = [(kind, name) for kind, name in given if name is not None]
    if len(named) > 1:
        raise UsageError(_("one at a time: --sequence, --email, --stream or --all"))
    return named[0] if named else None


def _list(app: "App") -> None:
    from leadflow.app import pause_words, pauses_of, who_paused

    lasting = pauses_of(app)
    for row in lasting:
        since = f"{row.since.astimezone(app.office):%Y-%m-%d %H:%M}"
        told = _("paused since {since} by {who}: {what}")
        console.print(
            told.format(since=since, who=who_paused(row.by), what=pause_words(row.kind, row.name)), markup=False
        )
    if not lasting:
        console.print(_("nothing is paused"))


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(pause)
    app.command()(resume)

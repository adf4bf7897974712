"""`leadflow bots reclassify`: judges every click again, by today's rules and by all that is known since."""

import typer

from leadflow.cli.common import ActedAt, Workspace, acted_at, console, opened, plain_errors
from leadflow.text import _, ngettext

group = typer.Typer(help="Clicks that machines made.", no_args_is_help=True)


@group.callback()
def bots() -> None:
    """A group of one command, so far."""


@group.command()
def reclassify(workspace: Workspace = None, at: ActedAt = None) -> None:
    """Judge every click again by today's rules; hand-overs that rest on machines are taken back."""
    from leadflow.app.bots import reclassify as judge_again

    with plain_errors():
        app = opened(workspace)
        done = judge_again(app, acted_at(app, at))
    scored = ngettext("person scored anew by the next sweep", "people scored anew by the next sweep", done.people)
    lines = (
        (done.visits, ngettext("visit of a link looked at", "visits of links looked at", done.visits)),
        (done.changed, _("judged otherwise than before, or by a newer rule")),
        (done.people, scored),
        (done.recalled, ngettext("hand-over taken back", "hand-overs taken back", done.recalled)),
    )
    for count, words in lines:
        console.print(f"  {count:>6}  {words}", markup=False)
    if done.kept:
        words = ngettext(
            "{n} hand-over rests on machines, too; its salesperson has accepted it and keeps it",
            "{n} hand-overs rest on machines, too; their salespeople have accepted them and keep them",
            done.kept,
        )
        console.print(words.format(n=done.kept), markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this file's group."""
    app.add_typer(group, name="bots")

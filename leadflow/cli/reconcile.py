"""`leadflow reconcile`: settles now what upkeep settles every five minutes, and says what it found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from leadflow.cli.common import ActedAt, Workspace, acted_at, console, opened, plain_errors
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.app import App


def reconcile(workspace: Workspace = None, at: ActedAt = None) -> None:
    """Settle mail nobody has answered for: by the provider's events, its log, or as leadflow.yaml says."""
    from leadflow.app import doubtful, reconcile_due

    with plain_errors():
        app = opened(workspace)
        now = acted_at(app, at)
        before = doubtful(app)
        if before:
            words = ngettext("{n} mail nobody has answered for", "{n} mails nobody has answered for", before)
            console.print(words.format(n=before))
        counts = reconcile_due(app, now)
    _say(app, counts, before)
    if counts.get("unreachable"):
        raise typer.Exit(1)


def _say(app: "App", counts: Mapping[str, int], before: int) -> None:
    from leadflow.app import doubtful

    for word, words in _words().items():
        if n := counts.get(word, 0):
            console.print(f"  {n:>6}  {words}", markup=False)
    if counts.get("unreachable"):
        console.print(_("the provider's log cannot be asked: nothing of it is changed, try again later"), style="red")
    if counts.get("busy"):
        console.print(_("the log takes six questions a minute: upkeep asks the others"), style="yellow")
    left = doubtful(app)
    if left and not counts.get("unreachable"):
        console.print(_waiting(app, left), markup=False)
    elif not before and not left:
        console.print(_("nothing to settle: every mail that left has been answered for"))


def _words() -> Mapping[str, str]:
    return {
        "told": _("accepted: the provider's events say so"),
        "found": _("accepted: the provider's log has them"),
        "denied": _("not in the log: asked again half an hour later, before it is believed"),
        "crowded": _("cannot be asked about: the log is too full of mail to the address"),
        "planned_again": _("never left: planned again"),
        "expired": _("never left, and too late now: suppressed"),
        "worn_out": _("never left in many tries: failed"),
        "held": _("unknown, for good: no log can say (on_unknown: hold)"),
        "outranked": _("wait: another mail to the address was planned meanwhile"),
    }


def _waiting(app: "App", left: int) -> str:
    minutes = app.playbook.delivery.grace // 60_000_000
    if app.ports.log is None:
        told = ngettext(
            "{n} mail waits: its answer may come for {minutes} minutes",
            "{n} mails wait: their answers may come for {minutes} minutes",
            left,
        )
    else:
        told = ngettext(
            "{n} mail waits: its answer may come for {minutes} minutes, and the log has to say no twice",
            "{n} mails wait: their answers may come for {minutes} minutes, and the log has to say no twice",
            left,
        )
    return told.format(n=left, minutes=minutes)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(reconcile)

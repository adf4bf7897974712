"""`leadflow bounces FOLDER`: what mail servers, complaint desks and readers wrote back is taken in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from leadflow.cli.common import ActedAt, Workspace, acted_at, console, opened, plain_errors
from leadflow.errors import UsageError
from leadflow.text import _, ngettext


def bounces(
    folder: Annotated[
        Path | None, typer.Argument(help="A Maildir or an mbox file; default: LEADFLOW_BOUNCES.", show_default=False)
    ] = None,
    workspace: Workspace = None,
    at: ActedAt = None,
) -> None:
    """Take in the mails that came back: bounces, complaints, answers."""
    from leadflow.app.mail_back import take_folder

    with plain_errors():
        app = opened(workspace)
        place = folder or app.settings.bounces_folder
        if place is None:
            raise UsageError(_("name a Maildir or an mbox file, or set LEADFLOW_BOUNCES"))
        counts = take_folder(app, place, acted_at(app, at))
    _say(counts)


def _say(counts: Mapping[str, int]) -> None:
    mails = counts.get("mails", 0)
    console.print(ngettext("{n} mail taken in", "{n} mails taken in", mails).format(n=mails))
    for word, words in _words().items():
        if n := counts.get(word, 0):
            console.print(f"  {n:>6}  {words}", markup=False)
    if n := counts.get("too_large", 0):
        words = ngettext("{n} mail is larger than 10 MB: left there", "{n} mails are larger than 10 MB: left there", n)
        console.print(words.format(n=n), style="yellow")


def _words() -> Mapping[str, str]:
    return {
        "bounced": _("bounced: the address is mailed no more"),
        "blocked": _("refused, for now or for the sender's sake: counted"),
        "deferred": _("not delivered yet"),
        "delivered": _("delivered"),
        "complained": _("complaints: the address is mailed no more"),
        "unsubscribed": _("unsubscribed"),
        "replied": _("answers of people"),
        "stopped": _("sequences stopped by an answer"),
        "told": _("answers told to whoever cares for the person"),
    }


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(bounces)

"""`leadflow resend`: failed mail planned again, once somebody has seen what that means and said yes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from leadflow.cli.common import (
    ActedAt,
    ActedBy,
    Workspace,
    acted_at,
    ask_first,
    console,
    instant,
    opened,
    plain_errors,
    who_acts,
)
from leadflow.errors import UsageError
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.pipeline.resend import Resend

Failed = Annotated[bool, typer.Option("--failed", help="Mail that failed.")]
Unknown = Annotated[bool, typer.Option("--unknown", help="Mail of unknown fate, where on_unknown: resend allows it.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only what failed for this reason, such as refused.")]
Email = Annotated[str | None, typer.Option("--email", help="Only this email.")]
Since = Annotated[str | None, typer.Option("--since", help="Only what was to leave from this day or instant on.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: for scripts.")]


def resend(
    workspace: Workspace = None,
    failed: Failed = False,
    unknown: Unknown = False,
    reason: Reason = None,
    email: Email = None,
    since: Since = None,
    yes: Yes = False,
    by: ActedBy = None,
    at: ActedAt = None,
) -> None:
    """Try failed mail again: prints which, asks, keeps who said so; it leaves through caps and hours like any other."""
    from leadflow.app import resend_mails, resend_plan, which_mails

    with plain_errors():
        if failed == unknown:
            raise UsageError(_("say which: --failed or --unknown"))
        app = opened(workspace)
        now = acted_at(app, at)
        first = None if since is None else instant(app, since, "--since")
        which = which_mails(app, unknown=unknown, reason=reason, email=email, since=first)
        found = resend_plan(app, now, which)
        going = sum(line.n for line in found if line.fate == "go")
        _show(found)
        if not going:
            console.print(_("nothing to send again"))
            return
        question = ngettext("send {n} mail again?", "send {n} mails again?", going).format(n=going)
        ask_first(question, _("nothing is changed"), yes=yes)
        who = by or who_acts()
        n = resend_mails(app, now, which, by=who)
    told = ngettext(
        "planned again by {who}: {n} mail leaves with the next delivery, at its hours",
        "planned again by {who}: {n} mails leave with the next delivery, at their hours",
        n,
    )
    console.print(told.format(who=who, n=n), markup=False)


def _show(found: "Sequence[Resend]") -> None:
    from leadflow.ask.words import reason_words
    from leadflow.types import Reason as Word

    fates = {
        "go": _("goes"),
        "expired": _("stays: too late to be welcome, or its caps have no room in time"),
        "busy": _("stays: another mail to the address comes first"),
    }
    width = max((len(line.email) for line in found), default=0)
    for line in found:
        why = reason_words(Word(line.reason)) if line.reason in {*Word} else "–"
        console.print(f"  {line.n:>6}  {line.email:<{width}}  {why:<30}  {fates[line.fate]}", markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(resend)

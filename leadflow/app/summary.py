"""What a night says of itself: its roll-up, its one-line state, and the rules it found broken."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from leadflow.app.workspace import App
from leadflow.text import _, ngettext
from leadflow.types import Outcome, Phase


def nightly_summary(app: App, now: datetime, outcomes: Sequence[Outcome]) -> str:
    """The artifact `nightly-summary`: aggregates only, no address and no name."""
    lines = [
        _("Night of {night} · playbook {version}").format(
            night=f"{now.astimezone(app.office):%a %d %B %Y}", version=app.playbook.short
        ),
        "",
        "| " + " | ".join((_("phase"), _("read"), _("changed"), _("counts"), _("skipped"))) + " |",
        "| --- | ---: | ---: | --- | --- |",
        *(_row(outcome) for outcome in outcomes),
    ]
    return "\n".join(lines)


def _row(outcome: Outcome) -> str:
    skipped = {str(reason): n for reason, n in outcome.skipped.items()}
    return f"| {outcome.phase} | {outcome.read} | {outcome.changed} | {_words(outcome.counts)} | {_words(skipped)} |"


def _words(counts: Mapping[str, int]) -> str:
    return " · ".join(f"{name} {n}" for name, n in counts.items() if n)


def headline(outcomes: Sequence[Outcome]) -> str:
    """The run's state in words: `20 mails, 3 to sales`."""
    changed = {outcome.phase: outcome.changed for outcome in outcomes}
    planned, sales = changed.get(Phase.NURTURE, 0), changed.get(Phase.ESCALATE, 0)
    return messages(planned) + ", " + _("{n} to sales").format(n=sales)


def messages(n: int) -> str:
    """`1 mail`, `20 mails`."""
    return ngettext("{n} mail", "{n} mails", n).format(n=n)


def broken_invariants(app: App, now: datetime) -> Sequence[str]:
    """Rules that always hold and were found broken, in words."""
    with Session(app.engine) as session:
        return broken(session, app.playbook, now)


def broken(_session: Session, _playbook: object, _now: datetime) -> Sequence[str]:
    """Nothing is checked yet."""
    return ()

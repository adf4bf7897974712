"""What a night says of itself: its roll-up, its one-line state, and the rules it found broken."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from leadflow.app.pacing import brake_words
from leadflow.app.sweeps import Sweep
from leadflow.app.workspace import App
from leadflow.ask import invariants, summary
from leadflow.text import _, ngettext
from leadflow.types import Outcome, Phase


def nightly_summary(
    app: App, sweep: Sweep, *, attempt: int = 1, broken: Sequence[str] = (), held: str = ""
) -> summary.Summary:
    """The artifact `nightly-summary`, Markdown: aggregates only, no address and no company."""
    run = summary.Run(
        outcomes=sweep.outcomes,
        seconds=sweep.seconds,
        attempt=attempt,
        broken=broken,
        held=held,
        stopped=brake_words(app, sweep.now),
    )
    with Session(app.engine) as session:
        return summary.nightly_summary(session, app.playbook, sweep.now, run)


def broken_invariants(app: App, now: datetime) -> Sequence[str]:
    """Rules that always hold and were found broken, in words."""
    with Session(app.engine) as session:
        return invariants.broken(session, app.playbook, now)


def headline(outcomes: Sequence[Outcome], warnings: int = 0) -> str:
    """The run's state in words: `20 mails, 3 to sales, 3 warnings`."""
    changed = {outcome.phase: outcome.changed for outcome in outcomes}
    planned, sales = changed.get(Phase.NURTURE, 0), changed.get(Phase.ESCALATE, 0)
    told = messages(planned) + ", " + _("{n} to sales").format(n=sales)
    if warnings:
        told += ", " + ngettext("{n} warning", "{n} warnings", warnings).format(n=warnings)
    return told


def messages(n: int) -> str:
    """`1 mail`, `20 mails`."""
    return ngettext("{n} mail", "{n} mails", n).format(n=n)

"""The demo asserts itself: what it says of leadflow is checked on its own rows, and a claim that fails ends it."""

from collections.abc import Iterator

from sqlalchemy import distinct, select
from sqlalchemy.orm import Session

from leadflow.ask.invariants import broken
from leadflow.demo.figures import mail_figures, sales_figures
from leadflow.demo.nights import Lived
from leadflow.models import lifecycle_change, message, stage_change
from leadflow.text import _
from leadflow.types import Lifecycle, MessageState, Reason

#: What a visitor of the demo must have seen happen.
REASONS = (
    Reason.NOT_DUE,
    Reason.FINISHED,
    Reason.WITH_SALES,
    Reason.RAMP,
    Reason.DISQUALIFIED,
    Reason.PRESSURE,
    Reason.UNSUBSCRIBED,
    Reason.NO_BASIS,
    Reason.BOUNCED,
    Reason.CUSTOMER,
    Reason.NO_MAIL_LEFT,
    Reason.OUTRANKED,
    Reason.NEVER_LIST,
    Reason.WINDOW,
    Reason.OPEN_DEAL,
    Reason.COMPLAINED,
    Reason.NO_MAIL_FLAG,
)


def failed_claims(lived: Lived) -> list[str]:
    """The claims that do not hold, in words; empty when the demo may be believed."""
    with Session(lived.app.engine) as session:
        return [
            *_everything_sent(session, lived),
            *_every_reason(lived),
            *_mails_add_up(session),
            *_nights_add_up(lived),
            *_sales_lived(session, lived),
            *_somebody_bought(session, lived),
            *broken(session, lived.app.playbook, lived.nights[-1]),
        ]


def _everything_sent(session: Session, lived: Lived) -> Iterator[str]:
    sent = select(distinct(message.c.email), message.c.language).where(message.c.state == MessageState.ACCEPTED)
    found = {(row[0], row[1]) for row in session.execute(sent)}
    for name, email in sorted(lived.app.playbook.emails.items()):
        for language in sorted(email.bodies):
            if (name, language) not in found:
                yield _("{email} was never sent in {language}").format(email=name, language=language)


def _every_reason(lived: Lived) -> Iterator[str]:
    for reason in REASONS:
        if reason not in lived.reasons_seen:
            yield _("nobody was ever skipped for the reason {reason}").format(reason=reason)


def _mails_add_up(session: Session) -> Iterator[str]:
    m = mail_figures(session)
    if m.planned != m.accepted + m.suppressed + m.failed + m.unknown + m.waiting:
        yield _("the states of the mails do not add up to {planned}").format(planned=m.planned)
    if m.accepted != m.delivered + m.bounced + m.silent:
        yield _("what became of the accepted mails does not add up to {accepted}").format(accepted=m.accepted)
    if m.twice:
        yield _("{n} mails were sent twice").format(n=m.twice)


def _nights_add_up(lived: Lived) -> Iterator[str]:
    for now, night in zip(lived.nights, lived.told, strict=True):
        if night.mailed + sum(night.skipped.values()) != night.people:
            yield _("on {night} mailed and skipped are not everybody").format(night=f"{now:%Y-%m-%d}")


def _sales_lived(session: Session, lived: Lived) -> Iterator[str]:
    s = sales_figures(session, lived.nights[-1])
    for word, n in ((_("accepted"), s.accepted), (_("rejected"), s.rejected), (_("late"), s.ever_late)):
        if not n:
            yield _("no hand-over was {word}").format(word=word)
    if s.given != s.accepted + s.rejected + s.lapsed + s.late + s.waiting:
        yield _("the hand-overs do not add up to {given}").format(given=s.given)


def _somebody_bought(session: Session, lived: Lived) -> Iterator[str]:
    bought = select(lifecycle_change.c.lead_id).where(lifecycle_change.c.after == Lifecycle.CUSTOMER)
    moved = select(stage_change.c.lead_id).where(
        stage_change.c.before == lived.app.playbook.journey.stages[0].name, stage_change.c.lead_id.in_(bought)
    )
    if session.scalar(moved.limit(1)) is None:
        yield _("nobody went from discovery to customer")

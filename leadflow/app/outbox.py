"""What operators do with the outbox: have failed mail tried again, after they have seen what that means."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from leadflow.app.workspace import App
from leadflow.errors import UsageError
from leadflow.pipeline.resend import Resend, Which, plan_resend, resend
from leadflow.text import _
from leadflow.types import MessageState, Reason

#: Failures that may pass: a mail that lacks a value, or whose text is broken, fails again until somebody mends it.
TRYABLE = (Reason.REFUSED, Reason.RENDER_FAILED, Reason.MISSING_FIELD)


def which_mails(
    app: App,
    *,
    unknown: bool = False,
    reason: str | None = None,
    email: str | None = None,
    since: datetime | None = None,
) -> Which:
    """The messages somebody names; UsageError for what is not known, and for unknown ones while they are held."""
    if reason is not None and reason not in TRYABLE:
        told = _("{word} is no reason for which mail fails. One of: {names}")
        raise UsageError(told.format(word=reason, names=", ".join(TRYABLE)))
    if email is not None and email not in app.playbook.emails:
        told = _("no email is called {name}. One of: {names}")
        raise UsageError(told.format(name=email, names=", ".join(sorted(app.playbook.emails))))
    if unknown and app.playbook.delivery.on_unknown != "resend":
        raise UsageError(
            _("unknown mail may have arrived: it is sent again only where leadflow.yaml says  on_unknown: resend")
        )
    state = MessageState.UNKNOWN if unknown else MessageState.FAILED
    return Which(state=state, reason=reason, email=email, since=since)


def resend_plan(app: App, now: datetime, which: Which) -> Sequence[Resend]:
    """What would become of them; nothing is written."""
    with Session(app.engine) as session:
        return plan_resend(session, app.playbook, now, which)


def resend_mails(app: App, now: datetime, which: Which, *, by: str) -> int:
    """Plan them again, through caps and hours like any other; how many are."""
    with Session(app.engine) as session, session.begin():
        return resend(session, app.playbook, now, which, by=by)

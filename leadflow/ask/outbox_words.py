"""What the outbox is called where operators read it: each state and cause, and what to do about it."""

from leadflow.ask.words import delivery_words, reason_words
from leadflow.text import _
from leadflow.types import Delivery, MessageState, Reason


def state_words(state: MessageState) -> str:
    """A state of a message, as one word."""
    return {
        MessageState.PLANNED: _("planned"),
        MessageState.CLAIMED: _("claimed"),
        MessageState.SENDING: _("sending"),
        MessageState.ACCEPTED: _("accepted"),
        MessageState.FAILED: _("failed"),
        MessageState.SUPPRESSED: _("suppressed"),
        MessageState.UNKNOWN: _("unknown"),
    }[state]


def why_words(state: MessageState, why: str) -> str:
    """Why messages are in that state, and what is to be done where something is."""
    if state is MessageState.ACCEPTED:
        return delivery_words(Delivery(why)) if why else _("no news yet")
    if why in {*Reason} and (state, why) != (MessageState.PLANNED, Reason.PAUSED):
        return reason_words(Reason(why))
    return {
        "due": _("due: the next run sends them"),
        "later": _("their hour has not come"),
        "again": _("to be tried again"),
        "held": _("the brake holds the night: leadflow approve"),
        "paused": _("somebody paused them: leadflow pause lists it"),
        "late": _("too late to be welcome: the next run cancels them"),
        "worker": _("a worker has them"),
        "gone": _("their worker is gone: the next run takes them over"),
        "way": _("on their way"),
        "overdue": _("nobody has answered: leadflow reconcile"),
        "": _("without a reason"),
    }.get(why, why)

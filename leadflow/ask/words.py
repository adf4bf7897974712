"""What each reason is called where people read it."""

from collections.abc import Mapping
from typing import Any

from leadflow.text import _
from leadflow.types import Delivery, EnrolmentEnd, Lifecycle, Reason


def reason_words(reason: Reason) -> str:
    """`reason` in words, in the language people read."""
    return {
        Reason.NOT_DUE: _("next step not due"),
        Reason.FINISHED: _("sequence finished"),
        Reason.NO_SEQUENCE: _("in no sequence"),
        Reason.RAMP: _("waiting for their turn (ramp)"),
        Reason.OUTRANKED: _("another mail goes first"),
        Reason.PRESSURE: _("pressure"),
        Reason.WINDOW: _("no open window in time"),
        Reason.PAUSED: _("paused"),
        Reason.PARKED: _("on a step that no file names"),
        Reason.WITH_SALES: _("with sales"),
        Reason.RESTING: _("resting after an answer of sales"),
        Reason.CUSTOMER: _("customer"),
        Reason.DISQUALIFIED: _("disqualified"),
        Reason.NEVER_LIST: _("on the never list"),
        Reason.OPEN_DEAL: _("a deal is open"),
        Reason.UNSUBSCRIBED: _("unsubscribed"),
        Reason.COMPLAINED: _("complained"),
        Reason.BOUNCED: _("bounced"),
        Reason.INVALID_ADDRESS: _("invalid address"),
        Reason.OBJECTED: _("objected"),
        Reason.NO_ADDRESS: _("no address"),
        Reason.NO_BASIS: _("no legal basis"),
        Reason.PREFERENCE: _("as they chose"),
        Reason.NO_MAIL_FLAG: _("imported with --no-mail"),
        Reason.NO_MAIL_LEFT: _("no mail left"),
        Reason.ALREADY_RECEIVED: _("has it already"),
        Reason.MISSING_FIELD: _("a field the mail needs is missing"),
        Reason.EXPIRED: _("expired"),
        Reason.EXITED: _("left the sequence"),
        Reason.RENDER_FAILED: _("could not be rendered"),
        Reason.REFUSED: _("refused by the provider"),
        Reason.UNKNOWN_OUTCOME: _("nobody can say whether it left"),
    }[reason]


def end_words(end: EnrolmentEnd) -> str:
    """How an enrolment ended, in words."""
    return {
        EnrolmentEnd.FINISHED: _("finished"),
        EnrolmentEnd.EXITED: _("its exit holds"),
        EnrolmentEnd.GOAL: _("goal reached"),
        EnrolmentEnd.HANDED_ON: _("handed on to the next sequence"),
        EnrolmentEnd.UNMATCHED: _("its entry holds no more"),
        EnrolmentEnd.CUSTOMER: _("customer"),
        EnrolmentEnd.DISQUALIFIED: _("disqualified"),
        EnrolmentEnd.NO_MAIL_LEFT: _("no mail left"),
        EnrolmentEnd.STEP_FAILED: _("a step failed"),
        EnrolmentEnd.REPLIED: _("answered one of its mails"),
    }[end]


def lifecycle_words(lifecycle: str) -> str:
    """A lead, a prospect, a customer or none of them, in words."""
    return {
        Lifecycle.LEAD.value: _("lead"),
        Lifecycle.PROSPECT.value: _("prospect"),
        Lifecycle.CUSTOMER.value: _("customer"),
        Lifecycle.DISQUALIFIED.value: _("disqualified"),
    }.get(lifecycle, lifecycle)


def delivery_words(delivery: Delivery) -> str:
    """What became of an accepted mail, in words."""
    return {
        Delivery.PROCESSED: _("processed"),
        Delivery.DEFERRED: _("deferred by their server"),
        Delivery.DELIVERED: _("delivered"),
        Delivery.BLOCKED: _("blocked by their server"),
        Delivery.BOUNCED: _("bounced"),
        Delivery.UNSUBSCRIBED: _("delivered, unsubscribed"),
        Delivery.COMPLAINED: _("delivered, complained"),
    }[delivery]


def doubt_words(kind: str, word: str, detail: Mapping[str, Any]) -> str:
    """What became of an attempt nobody had answered for, or who had a failed mail sent again."""
    if kind == "resend":
        reason = reason_words(Reason(word)) if word in {*Reason} else "–"
        return _("had failed ({reason}): planned again, as {who} asked").format(
            reason=reason, who=detail.get("by", "–")
        )
    return {
        "told": _("no answer came: the provider's events say that it has the mail"),
        "found": _("no answer came: the provider's log has the mail"),
        "planned_again": _("no answer came, and the provider has no such mail: planned again"),
        "expired": _("no answer came, the provider has no such mail, and it is too late now"),
        "worn_out": _("no answer came, many times, and the provider has no such mail"),
        "held": _("no answer came, and nobody can tell: it counts as sent, and is never sent again"),
    }.get(word, word)

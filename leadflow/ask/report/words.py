"""What steps, groups and oddities are called where people read a report."""

from leadflow.ask.report.odd import Oddity
from leadflow.text import _
from leadflow.types import Lifecycle


def step_words(name: str) -> str:
    """A stage or a lifecycle; a stage the marketers named otherwise keeps its name."""
    return {
        "discovery": _("discovery"),
        "evaluation": _("evaluation"),
        "decision": _("decision"),
        Lifecycle.LEAD: _("lead"),
        Lifecycle.PROSPECT: _("prospect"),
        Lifecycle.CUSTOMER: _("customer"),
        Lifecycle.DISQUALIFIED: _("disqualified"),
    }.get(name, name)


def many_words(life: str) -> str:
    """Several people of a lifecycle."""
    return {
        Lifecycle.LEAD: _("leads"),
        Lifecycle.PROSPECT: _("prospects"),
        Lifecycle.CUSTOMER: _("customers"),
        Lifecycle.DISQUALIFIED: _("disqualified"),
    }.get(Lifecycle(life), life)


def group_words(by: str) -> str:
    """What cohorts are grouped by."""
    return {"source": _("source"), "month": _("month"), "segment": _("segment"), "owner": _("salesperson")}[by]


def empty_words(by: str) -> str:
    """Those who have no such thing."""
    return {"source": _("(source empty)"), "segment": _("(no segment)"), "owner": _("(nobody)")}.get(by, "")


def oddity_words(oddity: Oddity) -> str:
    """What is odd, in one line."""
    return {
        Oddity.WON_BEFORE_CONTACT: _("customer before first contact"),
        Oddity.ACT_BEFORE_CONTACT: _("did something before first contact"),
        Oddity.CONTACT_TO_COME: _("first contact is still to come"),
        Oddity.CUSTOMER_WITHOUT_SALE: _("customer, and no sale tells of it"),
        Oddity.SALE_WITHOUT_CUSTOMER: _("a sale is won, and no customer"),
    }[oddity]

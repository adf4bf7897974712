"""`leadflow.yaml`, the last part: `confirmations`, `topics`, `retention`, `tracking`, what people may decide."""

from collections.abc import Mapping

from leadflow.email.catalog import Email
from leadflow.playbook.known import Known
from leadflow.playbook.model import Retention, Rights, Wish
from leadflow.reading import Node, did_you_mean
from leadflow.text import _
from leadflow.types import DAY, Purpose, Rate

SECTIONS = ("confirmations", "topics", "retention", "tracking")
#: What an email shows to have something confirmed.
LINK = "links.confirm"


def topic_names(main: Node) -> tuple[str, ...]:
    """What emails may be about, for readers to decline."""
    return tuple(name.raw for name, _title in main.part("topics").items())


def rights_of(main: Node, known: Known, emails: Mapping[str, Email | None]) -> Rights:
    """The four sections; all of them may be left out."""
    tracking = main.part("tracking")
    tracking.only("links", "opens")
    rights = Rights(
        emails=_emails(main.part("confirmations"), emails),
        topics=_topics(main.part("topics"), known),
        retention=_retention(main.part("retention")),
        tracks_links=(tracking.part("links").choice(["on", "off"]) or "on") == "on",
        dates_opens=tracking.part("opens").choice(["off", "date"]) == "date",
    )
    if rights.retention is not None and Wish.KEEP not in rights.emails:
        told = _("nobody is erased unasked: name an email under confirmations, keep: shall-we-stay-in-touch")
        main.key("retention").fault(told)
    _check_unasked(main, rights, emails)
    return rights


def _topics(node: Node, known: Known) -> Mapping[str, Mapping[str, str]]:
    """`topics: {search: {fr: Être trouvé, en: Being found}}`."""
    return {name.raw: title.localised(known.languages) for name, title in node.items()}


def _emails(node: Node, emails: Mapping[str, Email | None]) -> Mapping[Wish, str]:
    """`confirmations: {consent: confirm-your-address, copy: …, erase: …, keep: …}`."""
    node.only(*Wish)
    found = {}
    for key, value in node.items():
        if key.raw not in list(Wish):
            continue
        email = emails.get(value.raw)
        if value.raw not in emails:
            value.fault(_("no email is called {name}.").format(name=value.raw) + did_you_mean(value.raw, emails))
        elif email is not None:
            _check_email(value, email)
            found[Wish(key.raw)] = email.name
    return found


def _check_email(node: Node, email: Email) -> None:
    if email.purpose is not Purpose.SERVICE:
        node.fault(_("{name} answers what a person asked: write purpose: service in it").format(name=email.name))
    for language, body in email.bodies.items():
        if LINK not in body:
            told = _("body.{language} of {name} has no link to confirm with: write {{{{ links.confirm }}}}")
            node.fault(told.format(language=language, name=email.name))


def _check_unasked(main: Node, rights: Rights, emails: Mapping[str, Email | None]) -> None:
    """A link to confirm with leads somewhere only in a mail that asks for something."""
    asking = {*rights.emails.values()}
    for email in emails.values():
        if email is not None and email.name not in asking and any(LINK in body for body in email.bodies.values()):
            node = main if main.part("confirmations").absent else main.part("confirmations")
            told = _("{name} shows links.confirm, and no confirmation names it: nobody would get it")
            node.fault(told.format(name=email.name))


def _retention(node: Node) -> Retention | None:
    """`retention: {after: 1095 days, answer_within: 30 days, at_most: 200 per day, raw: 365 days}`."""
    node.only("after", "answer_within", "at_most", "raw")
    if node.absent:
        return None
    usual = Retention()
    after, within, raw = (node.part(name).duration() for name in ("after", "answer_within", "raw"))
    return Retention(
        after=usual.after if after is None else after,
        answer_within=usual.answer_within if within is None else within,
        at_most=_a_day(node.part("at_most").rate(), usual.at_most),
        raw=usual.raw if raw is None else raw,
    )


def _a_day(rate: Rate | None, usual: int) -> int:
    return usual if rate is None else max(1, rate.n * DAY // rate.per)

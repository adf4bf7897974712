"""What invented people do in a day: seeded, so that the same seed lives the same three weeks."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leadflow.demo.corners import READERS
from leadflow.demo.people import COMPLAINS

HUMAN = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/145.0 Safari/537.36"
SCANNER = "Mozilla/5.0 (compatible; Microsoft Outlook SafeLinks scanner)"
#: Where nobody follows a link.
_READERS = frozenset(house.domain for house in READERS)
#: (French path, English path) by what a visitor looks for.
_PLACES = {
    "prices": ("/tarifs", "/en/pricing"),
    "work": ("/realisations/vannes", "/en/work/valves"),
    "shop": ("/e-commerce/refonte", "/en/e-commerce/rebuild"),
    "blog": ("/blog/premier-site", "/en/blog/first-site"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A person as the demo plays them."""

    address: str
    language: str
    #: "shop" people look at shop pages.
    retail: bool
    #: Hired to click everything: the company's mail gateway.
    behind_scanner: bool
    #: 0…1: how much of a project there is.
    interest: float
    #: The address does not exist.
    dead: bool
    #: Calls a mail spam.
    complains: bool = False
    #: Joins the letter, and follows no link.
    only_reads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail that reached a visitor today."""

    attempt_id: str
    email: str
    sent_at: datetime
    #: Signed click targets found in the mail, and its unsubscribe token.
    clicks: tuple[str, ...]
    unsubscribe: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that happened. `kind` is an event's word, or click, unsubscribe, delivered, bounce, spamreport."""

    kind: str
    address: str
    at: datetime
    path: str | None = None
    token: str | None = None
    attempt_id: str | None = None
    user_agent: str = HUMAN
    properties: dict[str, str] = field(default_factory=dict)


def visitor(seed: int, address: str, *, language: str, retail: bool, project: bool) -> Visitor:
    """The character of whoever owns `address`, from the seed and the address alone."""
    chance = random.Random(f"{seed}/{address}")
    domain = address.partition("@")[2]
    only_reads = domain in _READERS
    interest = 0.0 if only_reads else min(1.0, chance.betavariate(1.2, 5) + (0.25 if project else 0))
    return Visitor(
        address=address,
        language=language,
        retail=retail,
        behind_scanner=random.Random(f"{seed}/scanner/{domain}").random() < 0.15,
        interest=interest,
        dead=chance.random() < 0.017,
        complains=address == COMPLAINS,
        only_reads=only_reads,
    )


def day_of(person: Visitor, mails: Sequence[Mail], day: datetime, seed: int) -> Iterator[Act]:
    """Everything `person` does on `day` (an aware midnight), given the mails of that day."""
    chance = random.Random(f"{seed}/{person.address}/{day:%Y-%m-%d}")
    for mail in mails:
        yield from _received(person, mail, chance)
    if not mails and not person.dead and chance.random() < person.interest * 0.12:
        yield from _visit(person, day + timedelta(hours=8, minutes=chance.randrange(600)), chance)


def _received(person: Visitor, mail: Mail, chance: random.Random) -> Iterator[Act]:
    kind, after = ("bounce", 9) if person.dead and not person.complains else ("delivered", 6)
    at = mail.sent_at + timedelta(seconds=after)
    yield Act(kind=kind, address=person.address, at=at, attempt_id=mail.attempt_id)
    if person.complains:
        at = mail.sent_at + timedelta(minutes=50)
        yield Act(kind="spamreport", address=person.address, at=at, attempt_id=mail.attempt_id)
    if person.dead or person.complains:
        return
    if person.only_reads:
        if mail.email == "welcome":
            yield Act(kind="newsletter_joined", address=person.address, at=mail.sent_at + timedelta(minutes=40))
        return
    if person.behind_scanner:
        for number, token in enumerate(mail.clicks):
            at = mail.sent_at + timedelta(seconds=7, milliseconds=400 * number)
            yield Act(kind="click", address=person.address, at=at, token=token, user_agent=SCANNER)
    if chance.random() < 0.012 + 0.02 * (mail.email == "still-useful"):
        at = mail.sent_at + timedelta(minutes=30)
        yield Act(kind="unsubscribe", address=person.address, at=at, token=mail.unsubscribe)
        return
    if mail.clicks and chance.random() < 0.15 + person.interest:
        at = mail.sent_at + timedelta(minutes=chance.randrange(12, 400))
        yield Act(kind="click", address=person.address, at=at, token=chance.choice(mail.clicks))
        # Half of those without a project read the one page and leave.
        if chance.random() < 0.5 + person.interest:
            yield from _visit(person, at + timedelta(minutes=1), chance)
    if chance.random() < 0.02 + person.interest * 0.05:
        yield Act(kind="email_replied", address=person.address, at=mail.sent_at + timedelta(hours=3))


def _visit(person: Visitor, at: datetime, chance: random.Random) -> Iterator[Act]:
    looks = ["blog", "blog", "work", "prices"] + (["shop", "shop"] if person.retail else [])
    for step in range(chance.randrange(1, 3 + round(6 * person.interest))):
        path = _PLACES[chance.choice(looks)][person.language == "en"]
        yield Act(kind="page_viewed", address=person.address, at=at + timedelta(minutes=2 * step), path=path)
    later = at + timedelta(minutes=30)
    if chance.random() < 0.15 + 0.2 * person.interest:
        asset = {"asset": "guide" if person.language == "en" else "livre-blanc"}
        yield Act(kind="content_downloaded", address=person.address, at=later, path="/guide", properties=asset)
    if chance.random() < 0.10:
        yield Act(kind="newsletter_joined", address=person.address, at=later)
    if chance.random() < 0.12 * person.interest:
        yield Act(kind="webinar_attended", address=person.address, at=later, properties={"topic": "seo"})
    if chance.random() < 0.30 * person.interest:
        project = chance.choice(("redesign", "new_site", "seo"))
        form = {"form": "project", "project": project}
        yield Act(kind="form_submitted", address=person.address, at=later, path="/projet", properties=form)
    if chance.random() < 0.14 * person.interest**1.5:
        word = chance.choice(("quote_requested", "demo_requested", "meeting_booked"))
        yield Act(kind=word, address=person.address, at=later + timedelta(minutes=5))

"""How people click: late or at once, slowly or in many tabs, from desks, phones, offices, homes and company tunnels."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from tests.bots import places
from tests.bots.world import Actor, Company, Mail, Request, Session

#: How often each kind is met, in a thousand.
KINDS = {
    "desktop": 420,
    "phone": 270,
    "two-devices": 40,
    "double-click": 60,
    "many-tabs": 70,
    "at-once": 50,
    "data-saver": 20,
    "no-agent": 10,
    "odd-mail-program": 25,
    "every-link": 35,
}


def read(rng: Random, mail: Mail, company: Company) -> Session:
    """The visits of the recipient of `mail`."""
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    ip, agent = _where(rng, company, kind)
    at = mail.arrived_at + _delay(rng, kind)
    made: list[Request] = []
    for link, pause in _path(rng, mail, kind):
        at += pause
        if kind == "two-devices" and made and rng.random() < 0.6:
            ip, agent = places.address(rng, places.network(rng, places.MOBILE)), places.phone(rng)
            at += timedelta(minutes=rng.uniform(5, 900))
        made.append(Request(mail=mail.id, link=link, at=at, ip=ip, agent=agent))
    return Session(actor=Actor.PERSON, kind=kind, requests=tuple(made))


def colleague(rng: Random, mail: Mail, company: Company, after: datetime) -> Session:
    """Somebody the mail was forwarded to."""
    elsewhere = rng.random() < 0.35
    ip, agent = _where(rng, company, "phone" if elsewhere else "desktop")
    at = after + timedelta(minutes=rng.lognormvariate(3.5, 1.4))
    links = rng.sample(mail.links, 1 if rng.random() < 0.75 else 2)
    made = []
    for link in links:
        made.append(Request(mail=mail.id, link=link, at=at, ip=ip, agent=agent))
        at += timedelta(seconds=_pause(rng))
    return Session(actor=Actor.PERSON, kind="colleague", requests=tuple(made))


def _where(rng: Random, company: Company, kind: str) -> tuple[str, str]:
    agent = places.desktop(rng)
    if kind == "phone":
        agent = places.phone(rng)
        if rng.random() < 0.55:
            return places.address(rng, places.network(rng, places.MOBILE)), agent
    if kind == "data-saver":
        # The phone's provider fetches for its owner, from its own machines.
        return places.address(rng, places.network(rng, places.CLOUDS)), places.phone(rng)
    if kind == "no-agent":
        agent = ""
    if kind == "odd-mail-program":
        agent = rng.choice(
            ("Thunderbird/128.2", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0)", "Mozilla/5.0")
        )
    if company.vpn and rng.random() < 0.8:
        return places.address(rng, rng.choice(company.vpn)), agent
    if company.is_consumer or rng.random() < 0.2:
        return places.address(rng, places.network(rng, places.ACCESS)), agent
    return places.address(rng, rng.choice(company.networks)), agent


def _delay(rng: Random, kind: str) -> timedelta:
    """From the mailbox to the first click."""
    if kind == "at-once":
        # Waited for it, or a banner came up on the screen.
        return timedelta(seconds=rng.uniform(4, 25))
    match rng.random():
        case luck if luck < 0.12:
            return timedelta(seconds=rng.uniform(20, 240))
        case luck if luck < 0.5:
            return timedelta(minutes=rng.lognormvariate(3.4, 1.0))
        case luck if luck < 0.85:
            return timedelta(hours=rng.lognormvariate(1.5, 0.8))
        case _:
            return timedelta(hours=rng.uniform(20, 300))


def _pause(rng: Random) -> float:
    """Seconds between two clicks of somebody who reads what they opened."""
    return 3 + rng.lognormvariate(3.4, 1.2)


def _path(rng: Random, mail: Mail, kind: str) -> Iterator[tuple[str, timedelta]]:
    """The links they click, each with the time since the one before."""
    wanted = 1 if rng.random() < 0.66 else rng.randrange(2, 4)
    if kind in {"many-tabs", "two-devices"}:
        wanted = rng.randrange(2, 5)
    if kind == "every-link":
        wanted = len(mail.links)
    links = rng.sample(mail.links, min(wanted, len(mail.links)))
    if rng.random() < 0.002:
        # Reads the source, or has it read aloud.
        links.append(mail.hidden)
    for i, link in enumerate(links):
        seconds = 0.0 if i == 0 else rng.uniform(0.8, 6) if kind == "many-tabs" else _pause(rng)
        yield link, timedelta(seconds=seconds)
        if kind == "double-click" and (i == 0 or rng.random() < 0.4):
            yield link, timedelta(seconds=rng.uniform(0.12, 0.9))

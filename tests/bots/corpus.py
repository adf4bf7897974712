"""Draws campaigns with everybody who asked for their links: `draw(seed)` is the same for ever.

It knows how people and machines behave, not how anybody tells them apart: labels say who acted.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from tests.bots import bystanders, people, places, scanners
from tests.bots.scanners import Gateway
from tests.bots.world import Company, Corpus, Mail, Session

MAILS = 1_300
_COMPANIES = 220
_BEGIN = datetime(2026, 3, 2, 7, tzinfo=UTC)


def draw(seed: int) -> Corpus:
    """Three campaigns to the people of some hundred companies, with well over a thousand sessions."""
    rng = Random(seed)
    gateways = [scanners.draw_gateway(rng) for _ in range(9)]
    companies = [_company(rng, len(gateways)) for _ in range(_COMPANIES)]
    staff = [(i, company) for i, company in enumerate(companies) for _ in range(_size(rng, company))]
    mails = tuple(_mail(rng, id, *_recipient(rng, staff)) for id in range(MAILS))
    sessions = [session for mail in mails for session in _around(rng, mail, companies[mail.company], gateways)]
    return Corpus(mails=mails, sessions=tuple(sessions))


def _company(rng: Random, gateways: int) -> Company:
    if rng.random() < 0.2:
        return Company(networks=(places.network(rng, places.ACCESS),), is_consumer=True)
    tunnel = places.EXITS if rng.random() < 0.6 else places.CLOUDS
    return Company(
        networks=tuple(places.network(rng, places.ACCESS) for _ in range(rng.choices((1, 2), (4, 1))[0])),
        gateway=rng.randrange(gateways) if rng.random() < 0.6 else None,
        vpn=(places.network(rng, tunnel),) if rng.random() < 0.07 else (),
        antivirus=rng.randrange(6) if rng.random() < 0.06 else None,
    )


def _size(rng: Random, company: Company) -> int:
    """How many of its people get our mails: one or two, or a dozen."""
    return 1 if company.is_consumer else min(15, 1 + int(rng.lognormvariate(0.6, 0.9)))


def _recipient(rng: Random, staff: list[tuple[int, Company]]) -> tuple[int, int]:
    recipient = rng.randrange(len(staff))
    return recipient, staff[recipient][0]


def _mail(rng: Random, id: int, recipient: int, company: int) -> Mail:
    sent_at = _BEGIN + timedelta(days=rng.choice((0, 3, 7)), seconds=rng.uniform(0, 7_200))
    # Most arrive within seconds; some servers put strangers off for a while.
    travel = rng.lognormvariate(0.9, 0.8) if rng.random() < 0.93 else rng.uniform(300, 5_400)
    arrived_at = sent_at + timedelta(seconds=travel)
    told = arrived_at + timedelta(seconds=rng.uniform(-0.9, 0.9))
    return Mail(
        id=id,
        recipient=recipient,
        company=company,
        links=tuple(f"link-{i}" for i in range(rng.randrange(3, 9))),
        hidden="hidden",
        sent_at=sent_at,
        arrived_at=arrived_at,
        # Providers speak in whole seconds, and by SMTP they do not speak at all.
        delivered_at=told.replace(microsecond=0) if rng.random() < 0.85 else None,
    )


def _around(rng: Random, mail: Mail, company: Company, gateways: list[Gateway]) -> Iterator[Session]:
    """Everybody who asks for a link of `mail`."""
    gateway = None if company.gateway is None else gateways[company.gateway]
    if gateway and (scanned := scanners.scan(rng, mail, gateway)):
        yield scanned
    if company.is_consumer and rng.random() < 0.35:
        yield bystanders.proxy(rng, mail)
    if rng.random() < 0.02:
        yield bystanders.crawl(rng, mail)
    if rng.random() < 0.45:
        yield from _reader(rng, mail, company, gateway)


def _reader(rng: Random, mail: Mail, company: Company, gateway: Gateway | None) -> Iterator[Session]:
    session = people.read(rng, mail, company)
    yield session
    first = session.requests[0]
    if company.antivirus is not None and session.kind != "phone":
        yield scanners.guard_desk(rng, mail, first, company.antivirus)
    if gateway and gateway.style == "at-click":
        checked = scanners.check_clicks(rng, mail, gateway, session.requests)
        if checked:
            yield checked
    if rng.random() < 0.06:
        yield bystanders.prefetch(rng, mail, first)
    if rng.random() < 0.07:
        yield bystanders.unfurl(rng, mail, first)
    if rng.random() < 0.06:
        yield people.colleague(rng, mail, company, first.at)

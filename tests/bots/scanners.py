"""How scanners go about links: gateways before and after delivery, sandboxes, checks at the click, desk antiviruses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from tests.bots import places
from tests.bots.world import Actor, Mail, Request, Session

STYLES = {"all-at-once": 5, "one-by-one": 4, "sample": 3, "head-then-get": 2, "sandbox": 3, "at-click": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One vendor's way of looking at links, the same for all its customers."""

    style: str
    networks: tuple[str, ...]
    #: What it calls itself, drawn for each mail.
    agent: Callable[[Random], str]
    #: Seconds from the mailbox to the first request; half of them are shorter.
    median: float
    #: Of how many mails it looks at the links.
    share: float
    #: Reads the source rather than what is shown, so it follows what nobody sees.
    reads_source: float
    parallel: int


def draw_gateway(rng: Random) -> Gateway:
    """A vendor: some run in a cloud, some in networks of their own or that nobody knows."""
    style = rng.choices(list(STYLES), list(STYLES.values()))[0]
    home = rng.choices((places.CLOUDS, places.FILTERING, places.CELLARS), (6, 2, 2))[0]
    agents = (places.desktop, places.stale, places.library, places.product, lambda _rng: "")
    agent = rng.choices(agents, (6, 3, 2, 3, 1))[0]
    if agent in (places.stale, places.product):
        # One installation, one name.
        said = agent(rng)
        agent = lambda _rng: said  # noqa: E731 - what it calls itself is a value here
    slow = style == "sandbox"
    return Gateway(
        style=style,
        networks=tuple(places.network(rng, home) for _ in range(rng.randrange(1, 5))),
        agent=agent,
        median=rng.lognormvariate(5.2, 0.9) if slow else rng.lognormvariate(1.3, 1.2),
        share=rng.uniform(0.5, 1),
        reads_source=rng.choice((0.05, 0.5, 0.9, 1.0)),
        parallel=rng.randrange(1, 9),
    )


def scan(rng: Random, mail: Mail, gateway: Gateway) -> Session | None:
    """What `gateway` does with a mail that comes in; None when it lets it pass, or only looks at clicks."""
    if gateway.style == "at-click" or rng.random() > gateway.share:
        return None
    start = mail.arrived_at + timedelta(seconds=gateway.median * rng.lognormvariate(0, 0.7))
    if gateway.style in {"all-at-once", "head-then-get"} and rng.random() < 0.4:
        # Looks before it lets the mail in.
        start = mail.arrived_at - timedelta(seconds=rng.uniform(0.5, 20))
    hidden = (mail.hidden,) if rng.random() < gateway.reads_source else ()
    links = _order(rng, (*mail.links, *hidden), gateway.style)
    return _session(f"gateway-{gateway.style}", _visit(rng, mail, gateway, links, start))


def check_clicks(rng: Random, mail: Mail, gateway: Gateway, clicked: Sequence[Request]) -> Session | None:
    """What a gateway that rewrote the links does as they are clicked: it goes there too, a moment before or after."""
    made = []
    agent = gateway.agent(rng)
    for click in clicked:
        if rng.random() < gateway.share:
            at = click.at + timedelta(seconds=rng.uniform(-1.5, 2.5))
            ip = places.address(rng, rng.choice(gateway.networks))
            method = "HEAD" if rng.random() < 0.2 else "GET"
            made.append(Request(mail=mail.id, link=click.link, at=at, ip=ip, agent=agent, method=method))
    return _session("gateway-at-click", made) if made else None


def guard_desk(rng: Random, mail: Mail, first: Request, style: int) -> Session:
    """An antivirus on the reader's own desk: the links it sees on the screen, or each as it is clicked."""
    agent = (first.agent, "", places.library(rng))[style % 3]
    shown = mail.links if style < 3 else (first.link,)
    at = first.at - timedelta(seconds=rng.uniform(2, 90) if style < 3 else rng.uniform(0.2, 1.2))
    made = []
    for link in shown:
        made.append(Request(mail=mail.id, link=link, at=at, ip=first.ip, agent=agent))
        at += timedelta(seconds=rng.uniform(0.05, 0.4))
    return Session(actor=Actor.SCANNER, kind="desk-antivirus", requests=tuple(made))


def _order(rng: Random, links: Sequence[str], style: str) -> list[str]:
    if style == "sample":
        return rng.sample(links, 1 if rng.random() < 0.7 else 2)
    return list(links) if rng.random() < 0.7 else rng.sample(links, len(links))


def _visit(rng: Random, mail: Mail, gateway: Gateway, links: Sequence[str], at: datetime) -> list[Request]:
    agent = gateway.agent(rng)
    spread = rng.random() < 0.35
    ip = places.address(rng, rng.choice(gateway.networks))
    made: list[Request] = []
    for i, link in enumerate(links):
        if spread:
            ip = places.address(rng, rng.choice(gateway.networks))
        if gateway.style == "head-then-get":
            made.append(Request(mail=mail.id, link=link, at=at, ip=ip, agent=agent, method="HEAD"))
            at += timedelta(seconds=rng.uniform(0.05, 0.8))
        if gateway.style != "head-then-get" or rng.random() < 0.5:
            made.append(Request(mail=mail.id, link=link, at=at, ip=ip, agent=agent))
        at += timedelta(seconds=_gap(rng, gateway, i))
    return made


def _gap(rng: Random, gateway: Gateway, i: int) -> float:
    match gateway.style:
        case "one-by-one":
            return rng.uniform(0.4, 5)
        case "sandbox":
            # A real browser that opens, waits for the page, and goes on.
            return rng.uniform(2, 15)
        case _:
            return rng.uniform(0.3, 1.5) if (i + 1) % gateway.parallel == 0 else rng.uniform(0.005, 0.1)


def _session(kind: str, requests: Sequence[Request]) -> Session:
    ordered = tuple(sorted(requests, key=lambda request: request.at))
    return Session(actor=Actor.SCANNER, kind=kind, requests=ordered)

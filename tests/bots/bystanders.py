"""Who else asks for links: mailbox providers' proxies, browsers that guess the next click, chats, crawlers."""

from datetime import timedelta
from random import Random

from tests.bots import places
from tests.bots.world import Actor, Mail, Request, Session


def proxy(rng: Random, mail: Mail) -> Session:
    """A mailbox provider looks at links to show what they lead to, or to keep readers' addresses from us."""
    ip = places.address(rng, places.network(rng, places.MAILBOX_PROVIDERS))
    plain = rng.random() < 0.4
    agent = (
        places.desktop(rng)
        if plain
        else rng.choice(
            (
                "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
                "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
                "Mozilla/5.0",
            )
        )
    )
    at = mail.arrived_at + timedelta(seconds=rng.lognormvariate(2.5, 1.3))
    made = []
    for link in rng.sample(mail.links, rng.choices((1, 2, len(mail.links)), (3, 2, 4))[0]):
        made.append(Request(mail=mail.id, link=link, at=at, ip=ip, agent=agent))
        at += timedelta(seconds=rng.uniform(0.02, 1.2))
    return Session(actor=Actor.PROXY, kind="mailbox-proxy", requests=tuple(made))


def prefetch(rng: Random, mail: Mail, near: Request) -> Session:
    """The reader's own browser fetches what its owner points at, and says so."""
    header = rng.choice(
        (
            {"Sec-Purpose": "prefetch"},
            {"Sec-Purpose": "prefetch;prerender"},
            {"Sec-Purpose": "prefetch;anonymous-client-ip"},
            {"Purpose": "prefetch"},
            {"X-Moz": "prefetch"},
            {"X-Purpose": "preview"},
        )
    )
    links = rng.sample(mail.links, 1 if rng.random() < 0.7 else 2)
    at = near.at - timedelta(seconds=rng.uniform(0.3, 8))
    made = [
        Request(
            mail=mail.id,
            link=link,
            at=at + timedelta(seconds=i * rng.uniform(0.2, 2)),
            ip=near.ip,
            agent=near.agent,
            headers=header,
        )
        for i, link in enumerate(links)
    ]
    return Session(actor=Actor.PREFETCHER, kind="browser-prefetch", requests=tuple(made))


def unfurl(rng: Random, mail: Mail, near: Request) -> Session:
    """The reader puts a link into a chat, whose server goes to see what it is, for each who reads along or once."""
    ip = places.address(rng, places.network(rng, places.CLOUDS))
    agent = places.unfurler(rng) if rng.random() < 0.85 else places.library(rng)
    at = near.at + timedelta(seconds=rng.lognormvariate(4, 1.2))
    made = []
    for i in range(rng.choices((1, 2, 3), (6, 3, 1))[0]):
        method = "HEAD" if i == 0 and rng.random() < 0.25 else "GET"
        made.append(Request(mail=mail.id, link=near.link, at=at, ip=ip, agent=agent, method=method))
        at += timedelta(seconds=rng.uniform(0.1, 3))
    return Session(actor=Actor.PREFETCHER, kind="chat-preview", requests=tuple(made))


def crawl(rng: Random, mail: Mail) -> Session:
    """A crawler finds the mail in somebody's public archive, days later, and comes back for its links one by one."""
    network = places.network(rng, places.MAILBOX_PROVIDERS if rng.random() < 0.5 else places.CLOUDS)
    agent = places.crawler(rng)
    at = mail.arrived_at + timedelta(days=rng.uniform(1, 20))
    made = []
    for link in rng.sample(mail.links, rng.randrange(1, len(mail.links) + 1)):
        made.append(Request(mail=mail.id, link=link, at=at, ip=places.address(rng, network), agent=agent))
        at += timedelta(seconds=rng.lognormvariate(5, 2))
    return Session(actor=Actor.PREFETCHER, kind="crawler", requests=tuple(made))

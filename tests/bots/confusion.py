"""The confusion of people and machines as a table: what docs/why/clicks.md shows."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from leadflow.types import Click
from tests.bots.corpus import draw
from tests.bots.judged import judged

#: What a kind is called for readers.
WORDS = {
    "desktop": "at a desk",
    "phone": "on a phone",
    "two-devices": "on a desk, then on a phone",
    "double-click": "double-clicks",
    "many-tabs": "opens several links at once",
    "every-link": "reads every link",
    "at-once": "clicks the moment it arrives",
    "colleague": "a colleague it was forwarded to",
    "data-saver": "through a data saver in a cloud",
    "odd-mail-program": "from a mail program",
    "no-agent": "from a program without a name",
    "gateway-all-at-once": "gateway, all links at once",
    "gateway-one-by-one": "gateway, one link after the other",
    "gateway-sample": "gateway, one link or two",
    "gateway-head-then-get": "gateway, HEAD before GET",
    "gateway-sandbox": "sandbox with a real browser, minutes later",
    "gateway-at-click": "gateway that checks links as they are clicked",
    "desk-antivirus": "antivirus on the reader's own desk",
    "mailbox-proxy": "proxy of a mailbox provider",
    "browser-prefetch": "browser that fetches ahead",
    "chat-preview": "preview of a chat",
    "crawler": "crawler",
}


def rows(seeds: Iterable[int]) -> list[str]:
    """A line a kind: visits, and the share judged human, unknown and machine, in per cent."""
    found: defaultdict[tuple[str, str], Counter[Click]] = defaultdict(Counter)
    for seed in seeds:
        for one in judged(draw(seed)):
            found[one.session.actor, one.session.kind][one.said.click] += 1
    order = list(WORDS)
    return [
        f"| {actor} | {WORDS[kind]} | {counts.total():,} | "
        + " | ".join(f"{100 * counts[click] / counts.total():.1f}" for click in Click)
        + " |"
        for (actor, kind), counts in sorted(found.items(), key=lambda item: order.index(item[0][1]))
    ]

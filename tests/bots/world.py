"""What a simulated campaign consists of: mails, who they are for, and what the server of their links saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Actor(StrEnum):
    """Who acted, whatever program and network it was done with."""

    PERSON = "person"
    #: Looks for harm in links: a mail gateway, a sandbox, an antivirus.
    SCANNER = "scanner"
    #: Fetches on behalf of a mailbox provider, without its reader asking.
    PROXY = "proxy"
    #: Fetches ahead of, or about, what a person may look at: a browser, a chat, a crawler.
    PREFETCHER = "prefetcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Where recipients work: their network, and what stands before their mailboxes."""

    #: The /24 of the office, or of everybody's own home for mailboxes of consumers.
    networks: tuple[str, ...]
    #: Index into the world's gateways.
    gateway: int | None = None
    #: Everybody leaves through a cloud's exits.
    vpn: tuple[str, ...] = ()
    antivirus: int | None = None
    is_consumer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail with its links; each link is signed for this mail alone."""

    id: int
    recipient: int
    company: int
    links: tuple[str, ...]
    #: A link that no reader sees.
    hidden: str
    sent_at: datetime
    #: When the mailbox had it.
    arrived_at: datetime
    #: What the provider told of it; None when it never did.
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request for a link of a mail."""

    mail: int
    link: str
    at: datetime
    ip: str
    agent: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one actor did with one mail."""

    actor: Actor
    #: How it behaved: `gateway-all-at-once`, `desktop`, …
    kind: str
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A few campaigns to some hundred companies, as they were seen, with who did what."""

    mails: tuple[Mail, ...]
    sessions: tuple[Session, ...]

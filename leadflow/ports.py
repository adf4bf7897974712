"""Protocols towards the outside world, and the values that cross them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Protocol

from leadflow.errors import StaleError
from leadflow.freshness import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One rendered mail, ready for any provider."""

    #: Ours, minted with the intent; the provider's own id is a note.
    attempt_id: str
    message_id: int
    to: str
    to_name: str
    from_address: str
    from_name: str
    reply_to: str
    subject: str
    html: str
    text: str
    #: RFC 8058 target: one https URI.
    unsubscribe_url: str
    language: str
    #: Night and email name, for the file adapter's folders and the provider's categories.
    email: str
    send_at: datetime
    #: Opaque ids only; the provider sends them back with its events.
    arguments: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Both as JSON, where somebody had it ready: empty elsewhere.
    html_json: bytes = field(default=b"", compare=False, repr=False)
    text_json: bytes = field(default=b"", compare=False, repr=False)
    #: By the stopwatch of `freshness`: from then on not a byte of it may go out.
    fresh_until: float = inf

    def refuse_when_stale(self) -> None:
        """StaleError when too much time has passed since the intent; asked right before what cannot be undone."""
        if seconds() > self.fresh_until:
            raise StaleError


class EmailProvider(Protocol):
    """Sends one mail: returns the provider's id when accepted, raises by type otherwise.

    It asks `mail.refuse_when_stale()` right before the mail can no longer be taken back.

    `RefusedError`, `RetryableError` and its kind `OutageError` mean definitely not sent; anything else that is
    raised means unknown.
    """

    name: str
    #: Sends it takes at once, all on one event loop.
    in_flight: int

    async def send(self, mail: Outgoing) -> str: ...

    async def close(self) -> None:
        """Let go of kept connections, on the loop that used them; a later `send` opens new ones."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An attempt whose outcome nobody knows."""

    attempt_id: str
    to: str
    #: When its intent was committed, by the database's clock.
    intent_at: datetime


class MessageLog(Protocol):
    """The provider's own list of what it accepted."""

    name: str
    #: How far its index may be behind.
    lag: timedelta

    def find(self, asked: Sequence[Asked]) -> Mapping[str, str]:
        """Attempt id → the provider's id, of those it knows; ProviderError when it cannot be asked."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a salesperson is told; never logged."""

    escalation_id: int
    to: str
    #: Apprise URL, or `$NAME` of the environment variable that holds it; empty writes a file.
    url: str
    title: str
    body: str
    #: The same for channels that show pages; empty where there is none.
    html: str = ""
    #: Of `body`: markdown or text.
    format: str = "text"


class AlertChannel(Protocol):
    """Tells a salesperson; raises `ProviderError` when nobody was told."""

    def tell(self, alert: Alert) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """A hand-over as a CRM receives it."""

    escalation_id: int
    lead: Mapping[str, object]
    rule: str
    rep: str
    due_at: datetime


class Crm(Protocol):
    """Takes hand-overs."""

    name: str

    def hand_over(self, hand_over: HandOver) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """A provider's news in normalised words."""

    #: The provider's own id of the event, for counting it once.
    external_id: str
    #: processed, deferred, delivered, blocked, bounced, unsubscribed, complained, clicked, dropped, replied or other.
    kind: str
    at: datetime
    address: str | None = None
    #: Our attempt id, where the provider sent it back.
    attempt_id: str | None = None
    #: The provider's own id of the message, as `send` returned it.
    provider_id: str | None = None
    url: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    #: Of a bounce: hard or soft when the address is at fault, None when the sender is; the provider's classification.
    hardness: str | None = None
    classification: str | None = None
    #: Of a reply, whose words are the note.
    subject: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The adapters a process works with, bound once in `app`."""

    email: EmailProvider
    alerts: AlertChannel
    crm: Crm
    #: None where the provider keeps no list that can be asked.
    log: MessageLog | None = None

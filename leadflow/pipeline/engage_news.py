"""Reads the stored POSTs of providers: what became of each message, whom never to mail again, who clicked."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Row, Select, bindparam, func, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.db import among
from leadflow.db.turns import NOES, go_alone
from leadflow.errors import InputError
from leadflow.intake.addresses import AddressError, read_address
from leadflow.intake.click_signs import Visit, signs_of
from leadflow.intake.clicks import judge
from leadflow.intake.events import NewEvent, batches, record_events
from leadflow.intake.inbound import read_inbound
from leadflow.intake.sendgrid import normalise
from leadflow.models import identity, intake, message
from leadflow.pipeline.engage_bounces import suppress_addresses
from leadflow.pipeline.engage_clicks import path_of
from leadflow.pipeline.engage_deliveries import move_deliveries
from leadflow.pipeline.engage_replies import keep_replies
from leadflow.pipeline.engage_strangers import forget_strangers
from leadflow.pipeline.engage_told import keep_visits
from leadflow.ports import ProviderEvent
from leadflow.types import CLICK_WEIGHT, MessageState, micros

#: Posts of SendGrid's event webhook, and mails that came back.
SENDGRID, MAIL = "sendgrid", "mail"
_POSTS = 100
_EVENTS = 5_000
#: News of an attempt that no message has is read again at every sweep for this long: its row may come later.
_WAIT_FOR_MESSAGE = timedelta(days=3)

#: What news of an attempt may still move.
_UNPROVEN = (MessageState.SENDING, MessageState.UNKNOWN, MessageState.PLANNED, MessageState.CLAIMED)
#: What is kept as an event of weight 0: it happened to a person, it is nothing they did.
_KEPT = ("delivered", "dropped", "blocked", "bounced", "unsubscribed", "complained")


@dataclass(slots=True, kw_only=True)
class News:
    """One event of a provider, and the message and address it is about, once they are looked up."""

    post: int
    #: Of the post: who tells.
    source: str
    received_at: datetime
    event: ProviderEvent
    message: Row[Any] | None = None
    identity_id: int | None = None
    lead_id: int | None = None

    @property
    def is_early(self) -> bool:
        """Names an attempt of ours that no message has; a mail names what it likes."""
        return self.source == SENDGRID and self.event.attempt_id is not None and self.message is None

    @property
    def is_of_nobody(self) -> bool:
        """Of an address that nobody here has: a stranger's, or of somebody who has been erased."""
        told = self.source == SENDGRID and self.event.address is not None
        return told and self.message is None and self.identity_id is None

    @property
    def is_visit(self) -> bool:
        """Tells of a click that our own redirect did not see."""
        return self.event.kind == "clicked" and not self.is_ours

    @property
    def is_ours(self) -> bool:
        """The link led through our own redirect."""
        return path_of(self.event.url or "").startswith("/c/")


def take_news(session: Session, now: datetime) -> Mapping[str, int]:
    """Read every POST received before `now` that was not read yet; one that is not readable is marked and passed."""
    counts: Counter[str] = Counter()
    for posts in _batches(session, now):
        # Before any message is moved: an intent takes its turn first, and its messages after.
        go_alone(session, NOES)
        errors: dict[int, str] = {}
        waiting: set[int] = set()
        strangers: defaultdict[int, set[str]] = defaultdict(set)
        for some in batches(_parsed(posts, errors), _EVENTS):
            _join(session, some)
            counts["recorded"] += _apply(session, some, now)
            counts.update(news.event.kind for news in some)
            for news in some:
                if news.is_of_nobody:
                    strangers[news.post].add(news.event.address or "")
            waiting |= {news.post for news in some if news.is_early and now - news.received_at < _WAIT_FOR_MESSAGE}
        forget_strangers(session, posts, strangers)
        _mark(session, [post.id for post in posts if post.id not in waiting], errors, now)
        counts["posts"] += len(posts) - len(waiting)
        counts["waiting"] += len(waiting)
        counts["unreadable"] += len(errors)
    return counts


def _batches(session: Session, now: datetime) -> Iterator[Sequence[Row[Any]]]:
    last = 0
    while rows := session.execute(_waiting_posts(now, last)).all():
        yield rows
        last = rows[-1].id


def _waiting_posts(now: datetime, after: int) -> Select[Any]:
    return (
        select(intake.c.id, intake.c.kind, intake.c.received_at, intake.c.body)
        .where(intake.c.kind.in_((SENDGRID, MAIL)), intake.c.processed_at.is_(None))
        .where(intake.c.received_at < micros(now), intake.c.id > after)
        .order_by(intake.c.id)
        .limit(_POSTS)
    )


def _parsed(posts: Sequence[Row[Any]], errors: dict[int, str]) -> Iterator[News]:
    """What the posts say, one after the other; why one cannot be read goes to `errors`."""
    for post in posts:
        try:
            events = normalise(post.body) if post.kind == SENDGRID else read_inbound(post.body, post.received_at)
        except InputError as error:
            errors[post.id] = str(error)
        else:
            shared = {"post": post.id, "source": post.kind, "received_at": post.received_at}
            yield from (News(event=event, **shared) for event in events)


def _join(session: Session, some: Sequence[News]) -> None:
    """Give `some` their messages (by our attempt, else by the provider's id) and people (else by the address)."""
    attempts = {news.event.attempt_id for news in some if news.event.attempt_id}
    theirs = {news.event.provider_id for news in some if news.event.provider_id and not news.event.attempt_id}
    rows = session.execute(_messages(session, attempts, theirs)).all()
    by_attempt = {row.attempt_id: row for row in rows}
    by_theirs = {row.provider_id: row for row in rows if row.provider_id in theirs}
    for news in some:
        news.message = by_attempt.get(news.event.attempt_id) or by_theirs.get(news.event.provider_id)
        if news.message is not None:
            news.identity_id, news.lead_id = news.message.address_id, news.message.lead_id
    _find_people(session, [news for news in some if news.message is None and news.event.address])


def _find_people(session: Session, some: Sequence[News]) -> None:
    """Whose addresses news is about of which no message is known."""
    told = {news.event.address for news in some if news.event.address}
    spelt = {address: known for address in told if (known := _spelt(address)) is not None}
    if not spelt:
        return
    people = session.execute(
        select(identity.c.value, identity.c.id, identity.c.lead_id).where(
            identity.c.kind == "email", among(session, identity.c.value, set(spelt.values()))
        )
    )
    by_address = {row.value: row for row in people}
    for news in some:
        owner = by_address.get(spelt.get(news.event.address or "", ""))
        if owner is not None:
            news.identity_id, news.lead_id = owner.id, owner.lead_id


def _messages(session: Session, attempts: set[str], theirs: set[str]) -> Select[Any]:
    """The messages of these attempts or provider's ids, and who owns their address today."""
    about = among(session, message.c.attempt_id, attempts)
    if theirs:
        # The provider's ids have no index: asked for only where news came without our attempt.
        about = or_(about, among(session, message.c.provider_id, theirs))
    return (
        select(message.c.id, message.c.attempt_id, message.c.provider_id, message.c.address_id, identity.c.lead_id)
        .add_columns(message.c.state, message.c.delivery_rank)
        .select_from(message.join(identity, identity.c.id == message.c.address_id))
        .where(about)
    )


def _spelt(address: str) -> str | None:
    try:
        return read_address(address).value
    except AddressError:
        return None


def _apply(session: Session, told: Sequence[News], now: datetime) -> int:
    about = ((news.message, news.event) for news in told if news.message is not None)
    move_deliveries(session, ((row.id, row.delivery_rank, event.kind, micros(event.at)) for row, event in about))
    _accept_the_unknown(session, told)
    visits = [(news.message.id, news.event, news.received_at) for news in told if news.message and news.is_visit]
    keep_visits(session, visits)
    events = [event for news in told if (event := _event(news)) is not None]
    recorded = record_events(session, events, received_at=now)
    keep_replies(session, [_reply(news) for news in told if news.event.kind == "replied" and news.lead_id])
    suppress_addresses(session, [(news.identity_id, news.event) for news in told if news.identity_id is not None])
    return recorded


def _accept_the_unknown(session: Session, told: Sequence[News]) -> None:
    """News of an attempt proves that the provider took it, whatever we could not hear at the time.

    Even of one that was given up and waits to be sent again, as long as no other attempt has taken its place.
    """
    about = [(news.message, news.event.attempt_id) for news in told if news.message and news.message.state in _UNPROVEN]
    proven = {row.id: attempt for row, attempt in about if attempt is not None and attempt == row.attempt_id}
    sent = func.coalesce(type_coerce(message.c.sent_at, BigInteger), type_coerce(message.c.intent_at, BigInteger))
    statement = (
        update(message)
        .where(message.c.id == bindparam("of"), message.c.attempt_id == bindparam("attempt"))
        .where(or_(*(message.c.state == state for state in _UNPROVEN)))
        .values(state=MessageState.ACCEPTED, reason=None, owner=None, lease_until=None, sent_at=sent)
    )
    if proven:
        rows = [{"of": of, "attempt": attempt} for of, attempt in proven.items()]
        session.connection().execute(statement, rows)


def _event(news: News) -> NewEvent | None:
    """What is kept of `news`; of a click in a mail we know, the visit is, until all of them are judged."""
    event = news.event
    if event.kind == "clicked":
        return _click(news)
    if event.kind == "replied" and news.lead_id is not None:
        return _new(news, kind="email_replied")
    if event.kind not in _KEPT or news.identity_id is None:
        return None
    said = {"hardness": event.hardness, "classification": event.classification}
    return _new(news, kind=f"email_{event.kind}", weight=0, properties={k: v for k, v in said.items() if v})


def _reply(news: News) -> dict[str, Any]:
    return {
        "told_as": news.event.external_id,
        "lead_id": news.lead_id,
        "message_id": news.message.id if news.message else None,
        "at": news.event.at,
        "subject": news.event.subject,
        "words": news.event.note,
    }


def _click(news: News) -> NewEvent | None:
    """A click in a mail that is not ours is judged alone."""
    if news.identity_id is None or news.message is not None or news.is_ours:
        return None
    visit = Visit(link=news.event.url or "", at=news.event.at, user_agent=news.event.user_agent)
    said = judge(signs_of([visit], None)[0])
    path = path_of(news.event.url or "")
    return _new(
        news, kind="email_clicked", weight=CLICK_WEIGHT[said.click], path=path, classified_by=said.classified_by
    )


def _new(news: News, **said: Any) -> NewEvent:
    return NewEvent(
        source=news.source,
        external_id=news.event.external_id,
        occurred_at=news.event.at,
        received_at=news.received_at,
        lead_id=news.lead_id,
        identity_id=news.identity_id,
        message_id=news.message.id if news.message else None,
        **said,
    )


def _mark(session: Session, done: Sequence[int], errors: Mapping[int, str], now: datetime) -> None:
    if done:
        session.execute(update(intake).where(intake.c.id.in_(done)).values(processed_at=micros(now)))
        # What a person wrote is kept where it is told and forgotten, not here.
        session.execute(update(intake).where(intake.c.id.in_(done), intake.c.kind == MAIL).values(body=b""))
    if errors:
        statement = update(intake).where(intake.c.id == bindparam("of")).values(error=bindparam("said"))
        session.connection().execute(statement, [{"of": post, "said": said} for post, said in errors.items()])

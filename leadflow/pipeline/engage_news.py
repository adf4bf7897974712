"""Reads the stored POSTs of providers: what became of each message, whom never to mail again, who clicked."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, and_, bindparam, func, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.errors import InputError
from leadflow.intake.addresses import AddressError, read_address
from leadflow.intake.clicks import Context, Visit, judge
from leadflow.intake.events import NewEvent, batches, record_events
from leadflow.intake.sendgrid import normalise
from leadflow.models import identity, intake, message
from leadflow.pipeline.engage_bounces import suppress_addresses
from leadflow.pipeline.engage_clicks import arrived_at, path_of
from leadflow.ports import ProviderEvent
from leadflow.types import CLICK_WEIGHT, Delivery, MessageState, micros

SOURCE = "sendgrid"
_POSTS = 200
_EVENTS = 1_000
#: News of an attempt that no message has is read again at every sweep for this long: its row may come later.
_WAIT_FOR_MESSAGE = timedelta(days=3)

_DELIVERY = {
    "processed": Delivery.PROCESSED,
    "deferred": Delivery.DEFERRED,
    "delivered": Delivery.DELIVERED,
    "dropped": Delivery.BLOCKED,
    "blocked": Delivery.BLOCKED,
    "bounced": Delivery.BOUNCED,
    "unsubscribed": Delivery.UNSUBSCRIBED,
    "complained": Delivery.COMPLAINED,
}
#: What news of an attempt may still move.
_UNPROVEN = (MessageState.SENDING, MessageState.UNKNOWN, MessageState.PLANNED, MessageState.CLAIMED)
#: What is kept as an event of weight 0: it happened to a person, it is nothing they did.
_KEPT = ("delivered", "dropped", "blocked", "bounced", "unsubscribed", "complained")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One event of a provider, and the message and address it is about, as far as they are known."""

    post: int
    received_at: datetime
    event: ProviderEvent
    message: Row[Any] | None = None
    identity_id: int | None = None
    lead_id: int | None = None

    @property
    def is_early(self) -> bool:
        """Names an attempt of ours that no message has."""
        return self.event.attempt_id is not None and self.message is None


def take_news(session: Session, now: datetime) -> Mapping[str, int]:
    """Read every POST received before `now` that was not read yet; one that is not readable is marked and passed."""
    counts: Counter[str] = Counter()
    for posts in _batches(session, now):
        read, errors = _parse(posts)
        waiting: set[int] = set()
        for some in batches(read, _EVENTS):
            told = _joined(session, some)
            counts["recorded"] += _apply(session, told, now)
            counts.update(news.event.kind for news in told)
            waiting |= {news.post for news in told if news.is_early and now - news.received_at < _WAIT_FOR_MESSAGE}
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
        select(intake.c.id, intake.c.received_at, intake.c.body)
        .where(intake.c.kind == SOURCE, intake.c.processed_at.is_(None))
        .where(intake.c.received_at < micros(now), intake.c.id > after)
        .order_by(intake.c.id)
        .limit(_POSTS)
    )


def _parse(posts: Sequence[Row[Any]]) -> tuple[list[News], dict[int, str]]:
    read: list[News] = []
    errors: dict[int, str] = {}
    for post in posts:
        try:
            events = normalise(post.body)
        except InputError as error:
            errors[post.id] = str(error)
        else:
            read += (News(post=post.id, received_at=post.received_at, event=event) for event in events)
    return read, errors


def _joined(session: Session, some: Sequence[News]) -> list[News]:
    """`some` with their messages (by our attempt, else by the provider's id) and people (else by the address)."""
    attempts = {news.event.attempt_id for news in some if news.event.attempt_id}
    theirs = {news.event.provider_id for news in some if news.event.provider_id and not news.event.attempt_id}
    rows = session.execute(_messages(attempts, theirs)).all()
    by_attempt = {row.attempt_id: row for row in rows}
    by_theirs = {row.provider_id: row for row in rows if row.provider_id in theirs}
    spelt = {address: _spelt(address) for news in some if (address := news.event.address)}
    people = session.execute(
        select(identity.c.value, identity.c.id, identity.c.lead_id).where(
            identity.c.kind == "email", identity.c.value.in_(set(spelt.values()) - {None})
        )
    )
    by_address = {row.value: row for row in people}
    found = []
    for news in some:
        about = by_attempt.get(news.event.attempt_id) or by_theirs.get(news.event.provider_id)
        owner = by_address.get(spelt.get(news.event.address or ""))
        found.append(_with(news, about, owner))
    return found


def _with(news: News, about: Row[Any] | None, owner: Row[Any] | None) -> News:
    return News(
        post=news.post,
        received_at=news.received_at,
        event=news.event,
        message=about,
        identity_id=about.address_id if about else owner.id if owner else None,
        lead_id=about.lead_id if about else owner.lead_id if owner else None,
    )


def _messages(attempts: set[str], theirs: set[str]) -> Select[Any]:
    """The messages of these attempts or provider's ids, and who owns their address today."""
    about: ColumnElement[bool] = message.c.attempt_id.in_(attempts)
    if theirs:
        # The provider's ids have no index: asked for only where news came without our attempt.
        about = or_(about, message.c.provider_id.in_(theirs))
    return (
        select(message.c.id, message.c.attempt_id, message.c.provider_id, message.c.address_id, identity.c.lead_id)
        .add_columns(arrived_at())
        .select_from(message.join(identity, identity.c.id == message.c.address_id))
        .where(about)
    )


def _spelt(address: str) -> str | None:
    try:
        return read_address(address).value
    except AddressError:
        return None


def _apply(session: Session, told: Sequence[News], now: datetime) -> int:
    _move_deliveries(session, told)
    _accept_the_unknown(session, told)
    clicks = _visits_by_message(told)
    events = [event for news in told if (event := _event(news, clicks)) is not None]
    recorded = record_events(session, events, received_at=now)
    suppress_addresses(session, [(news.identity_id, news.event) for news in told if news.identity_id is not None])
    return recorded


def _move_deliveries(session: Session, told: Sequence[News]) -> None:
    """Each message takes the strongest news about it, the earliest of two alike: order and repeats do not matter."""
    best: dict[int, tuple[int, int]] = {}
    for news in told:
        if news.message is not None and (word := _DELIVERY.get(news.event.kind)) is not None:
            best[news.message.id] = max(best.get(news.message.id, (-1, 0)), (word.rank, -micros(news.event.at)))
    earlier = and_(
        message.c.delivery_rank == bindparam("rank"),
        type_coerce(message.c.delivery_at, BigInteger) > bindparam("moment"),
    )
    statement = (
        update(message)
        .where(message.c.id == bindparam("of"), or_(message.c.delivery_rank < bindparam("rank"), earlier))
        .values(delivery=bindparam("word"), delivery_rank=bindparam("rank"), delivery_at=bindparam("moment"))
    )
    words = list(Delivery)
    rows = [{"of": of, "rank": rank, "word": words[rank], "moment": -at} for of, (rank, at) in best.items()]
    if rows:
        session.connection().execute(statement, rows)


def _accept_the_unknown(session: Session, told: Sequence[News]) -> None:
    """News of an attempt proves that the provider took it, whatever we could not hear at the time.

    Even of one that was given up and waits to be sent again, as long as no other attempt has taken its place.
    """
    about = [(news.message, news.event.attempt_id) for news in told if news.message is not None]
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


def _visits_by_message(told: Sequence[News]) -> Mapping[int, list[Visit]]:
    found: defaultdict[int, list[Visit]] = defaultdict(list)
    for news in told:
        if news.event.kind == "clicked" and news.message is not None:
            found[news.message.id].append(_visit(news.event))
    return found


def _event(news: News, clicks: Mapping[int, list[Visit]]) -> NewEvent | None:
    """What is kept of `news`; a click that our own redirect counts already is not."""
    event = news.event
    if event.kind == "clicked":
        return _click(news, clicks)
    if event.kind not in _KEPT or news.identity_id is None:
        return None
    said = {"hardness": event.hardness, "classification": event.classification}
    return _new(news, kind=f"email_{event.kind}", weight=0, properties={k: v for k, v in said.items() if v})


def _click(news: News, clicks: Mapping[int, list[Visit]]) -> NewEvent | None:
    path = path_of(news.event.url or "")
    if news.identity_id is None or path.startswith("/c/"):
        return None
    about = news.message
    visit = _visit(news.event)
    visits = clicks[about.id] if about else [visit]
    said = judge(visit, Context(visits=visits, arrived_at=about.arrived_at if about else None))
    weight = CLICK_WEIGHT[said.click]
    return _new(news, kind="email_clicked", weight=weight, path=path, classified_by=said.classified_by)


def _visit(event: ProviderEvent) -> Visit:
    return Visit(link=event.url or "", at=event.at, user_agent=event.user_agent)


def _new(news: News, **said: Any) -> NewEvent:
    return NewEvent(
        source=SOURCE,
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
    if errors:
        statement = update(intake).where(intake.c.id == bindparam("of")).values(error=bindparam("said"))
        session.connection().execute(statement, [{"of": post, "said": said} for post, said in errors.items()])

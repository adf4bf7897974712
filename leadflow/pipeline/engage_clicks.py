"""Judges the visits of our links: each becomes a click once, and is judged again when more is known."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, Select, String, Update, bindparam, cast, null, select, update
from sqlalchemy.orm import Session

from leadflow.db import among, insert_into
from leadflow.intake.click_signs import Sign
from leadflow.intake.clicks import Judgement, Standing, judge
from leadflow.intake.events import NewEvent, batches, record_events
from leadflow.models import dirty, event, event_key, hit, identity, link, message, network
from leadflow.pipeline.engage_networks import judge_networks
from leadflow.pipeline.engage_signs import is_known, note_signs
from leadflow.pipeline.scope import in_scope
from leadflow.types import CLICK_WEIGHT, Everyone, Scope

_BATCH = 1_000
SOURCE = "hit"


def take_clicks(session: Session, now: datetime, scope: Scope) -> Mapping[str, int]:
    """Record an `email_clicked` for each visit before `now` that has none, and judge again what it sheds light on.

    A few statements a batch. The sweep of a few leads asks no network's record anew, and leaves their visits to be
    looked at again by the next full one, which does.
    """
    looked = note_signs(session, now, scope)
    everyone = isinstance(scope, Everyone)
    changed = judge_networks(session, looked.networks, now) if everyone else frozenset()
    counts = Counter(_record_new(session, now, scope))
    counts["judged_again"] = _judge_again(session, looked.messages, changed)
    if not everyone:
        for some in batches(looked.new, _BATCH):
            session.execute(update(hit).where(hit.c.id.in_(some)).values(signs=null()))
    return counts


def forget_judgements(session: Session) -> None:
    """Have every visit looked at again, and every network."""
    session.execute(update(hit).values(signs=null()))
    session.execute(network.delete())


def path_of(url: str) -> str:
    """The path of a link's target: what conditions ask about."""
    return urlsplit(url).path or "/"


def _record_new(session: Session, now: datetime, scope: Scope) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    last = 0
    while rows := session.execute(_new_visits(now, scope, last)).all():
        judged = [(row, _judged(row)) for row in rows]
        counts["recorded"] += record_events(session, [_event(row, said) for row, said in judged], received_at=now)
        session.execute(_tie_to_events([row.id for row in rows]))
        counts["visits"] += len(rows)
        counts.update(f"clicks_{said.click}" for _row, said in judged)
        last = rows[-1].id
    return counts


def _new_visits(now: datetime, scope: Scope, after: int) -> Select[Any]:
    """Visits that were looked at and that no event stands for, with whose they are today."""
    return (
        select(hit.c.id, hit.c.message_id, hit.c.at, hit.c.told_at, hit.c.signs, link.c.url)
        .add_columns(message.c.address_id, identity.c.lead_id, network.c.standing)
        .select_from(
            hit.join(message, message.c.id == hit.c.message_id)
            .join(link, link.c.id == hit.c.link_id)
            .join(identity, identity.c.id == message.c.address_id)
            .outerjoin(network, network.c.network == hit.c.ip)
        )
        .where(hit.c.event_id.is_(None), hit.c.signs.is_not(None), is_known(now), hit.c.id > after)
        .where(in_scope(message.c.lead_id, scope))
        .order_by(hit.c.id)
        .limit(_BATCH)
    )


def _judged(row: Row[Any]) -> Judgement:
    return judge(Sign(row.signs), Standing(row.standing or 0))


def _event(row: Row[Any], said: Judgement) -> NewEvent:
    return NewEvent(
        source=SOURCE,
        external_id=str(row.id),
        kind="email_clicked",
        occurred_at=row.at,
        received_at=row.told_at or row.at,
        lead_id=row.lead_id,
        identity_id=row.address_id,
        path=path_of(row.url),
        weight=CLICK_WEIGHT[said.click],
        message_id=row.message_id,
        classified_by=said.classified_by,
    )


def _tie_to_events(hits: Sequence[int]) -> Update:
    """Each of `hits` gets the event that stands for it."""
    stands = select(event_key.c.event_id).where(
        event_key.c.source == SOURCE, event_key.c.external_id == cast(hit.c.id, String)
    )
    return update(hit).where(hit.c.id.in_(hits)).values(event_id=stands.scalar_subquery())


def _judge_again(session: Session, messages: Set[int], networks: Set[str]) -> int:
    """Correct what is said of the visits of these mails and networks; whose sums it touches are counted again."""
    wrong = 0
    for some in batches(_misjudged(session, messages, networks), _BATCH):
        statement = (
            update(event)
            .where(event.c.id == bindparam("of"), event.c.month == bindparam("in_month"))
            .values(weight=bindparam("weighs"), classified_by=bindparam("said"))
        )
        rows = [
            {"of": row.id, "in_month": row.month, "weighs": CLICK_WEIGHT[said.click], "said": said.classified_by}
            for row, said in some
        ]
        session.connection().execute(statement, rows)
        people = {row.lead_id for row, said in some if row.lead_id and row.weight != CLICK_WEIGHT[said.click]}
        if people:
            mark = insert_into(session, dirty).on_conflict_do_nothing()
            session.execute(mark, [{"lead_id": lead_id} for lead_id in sorted(people)])
        wrong += len(some)
    return wrong


def _misjudged(session: Session, messages: Set[int], networks: Set[str]) -> Iterator[tuple[Row[Any], Judgement]]:
    asked = [_judged_visits().where(hit.c.message_id.in_(some)) for some in batches(sorted(messages), _BATCH)]
    if networks:
        asked.append(_judged_visits().where(among(session, hit.c.ip, networks)))
    found: set[int] = set()
    for query in asked:
        # Read to the end: what is found is written meanwhile.
        for row in session.execute(query).all():
            if row.id not in found and (said := _judged(row)).classified_by != row.classified_by:
                found.add(row.id)
                yield row, said


def _judged_visits() -> Select[Any]:
    return (
        select(event.c.id, event.c.month, event.c.lead_id, event.c.weight, event.c.classified_by)
        .add_columns(hit.c.signs, network.c.standing)
        .select_from(hit.join(event, event.c.id == hit.c.event_id).outerjoin(network, network.c.network == hit.c.ip))
        .where(hit.c.signs.is_not(None))
        .order_by(event.c.id)
    )

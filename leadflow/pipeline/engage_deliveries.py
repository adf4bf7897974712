"""Moves messages on by the news of providers: the strongest word counts, whatever the order and number of copies."""

import json
from collections.abc import Iterable

from sqlalchemy import null, text, update
from sqlalchemy.orm import Session

from leadflow.models import hit
from leadflow.types import Delivery

_WORDS = tuple(Delivery)
_RANK = {
    kind: word.rank
    for kind, word in {
        "processed": Delivery.PROCESSED,
        "deferred": Delivery.DEFERRED,
        "delivered": Delivery.DELIVERED,
        "dropped": Delivery.BLOCKED,
        "blocked": Delivery.BLOCKED,
        "bounced": Delivery.BOUNCED,
        "unsubscribed": Delivery.UNSUBSCRIBED,
        "complained": Delivery.COMPLAINED,
    }.items()
}
_STRONGER = (
    "(message.delivery_rank < told.rank OR message.delivery_rank = told.rank AND message.delivery_at > told.moment)"
)
_ARRIVED = "(told.arrived IS NOT NULL AND (message.delivered_at IS NULL OR message.delivered_at > told.arrived))"
_SET = (
    f"UPDATE message SET delivery = CASE WHEN {_STRONGER} THEN told.word ELSE message.delivery END,"  # noqa: S608
    f" delivery_rank = CASE WHEN {_STRONGER} THEN told.rank ELSE message.delivery_rank END,"
    f" delivery_at = CASE WHEN {_STRONGER} THEN told.moment ELSE message.delivery_at END,"
    f" delivered_at = CASE WHEN {_ARRIVED} THEN told.arrived ELSE message.delivered_at END FROM"
)
_WHERE = f"WHERE message.id = told.id AND ({_STRONGER} OR {_ARRIVED})"
#: UPDATE message: those of whom `told` ([id, word, rank, moment, arrived] each) says more than is known, or the same
#: earlier.
_MOVE = {
    "sqlite": text(
        f"{_SET} (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS word,"  # noqa: S608
        " json_extract(value, '$[2]') AS rank, json_extract(value, '$[3]') AS moment,"
        f" json_extract(value, '$[4]') AS arrived FROM json_each(:told)) AS told {_WHERE}"
    ),
    "postgresql": text(
        f"{_SET} unnest(CAST(:ids AS BIGINT[]), CAST(:words AS TEXT[]), CAST(:ranks AS INTEGER[]),"
        " CAST(:moments AS BIGINT[]), CAST(:arrivals AS BIGINT[])) AS told(id, word, rank, moment, arrived)"
        f" {_WHERE}"
    ),
}


def move_deliveries(session: Session, told: Iterable[tuple[int, int, str, int]]) -> None:
    """Each message takes the strongest news about it, the earliest of two alike, and its arrival: two statements.

    `told` is (message, its rank when it was looked up, kind of news, instant of the news).
    """
    best: dict[int, tuple[int, int]] = {}
    arrived: dict[int, int] = {}
    for of, known, kind, at in told:
        rank = _RANK.get(kind, -1)
        if kind == Delivery.DELIVERED:
            arrived[of] = min(arrived.get(of, at), at)
        if rank >= max(known, 0):
            best[of] = max(best.get(of, (-1, 0)), (rank, -at))
    rows = [_row(of, best.get(of), arrived.get(of)) for of in sorted(best.keys() | arrived)]
    if not rows:
        return
    if (kind := session.get_bind().dialect.name) == "sqlite":
        session.execute(_MOVE[kind], {"told": json.dumps(rows)})
    else:
        names = ("ids", "words", "ranks", "moments", "arrivals")
        session.execute(_MOVE[kind], dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    if arrived:
        # How soon its visits came has another answer now.
        again = update(hit).where(hit.c.message_id.in_(sorted(arrived)), hit.c.signs.is_not(None))
        session.execute(again.values(signs=null()))


def _row(of: int, best: tuple[int, int] | None, arrived: int | None) -> tuple[int, str, int, int, int | None]:
    """What is told of one message; of one that nothing stronger is told of, a word that moves nothing."""
    rank, moment = best or (-2, 0)
    return of, str(_WORDS[max(rank, 0)]), rank, -moment, arrived

"""Moves messages on by the news of providers: the strongest word counts, whatever the order and number of copies."""

import json
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

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
_SET = "UPDATE message SET delivery = told.word, delivery_rank = told.rank, delivery_at = told.moment FROM"
_WHERE = (
    "WHERE message.id = told.id AND (message.delivery_rank < told.rank"
    " OR message.delivery_rank = told.rank AND message.delivery_at > told.moment)"
)
#: UPDATE message: those of whom `told` ([id, word, rank, moment] each) says more than is known, or the same earlier.
_MOVE = {
    "sqlite": text(
        f"{_SET} (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS word,"  # noqa: S608
        " json_extract(value, '$[2]') AS rank, json_extract(value, '$[3]') AS moment FROM json_each(:told)) AS told"
        f" {_WHERE}"
    ),
    "postgresql": text(
        f"{_SET} unnest(CAST(:ids AS BIGINT[]), CAST(:words AS TEXT[]), CAST(:ranks AS INTEGER[]),"
        f" CAST(:moments AS BIGINT[])) AS told(id, word, rank, moment) {_WHERE}"
    ),
}


def move_deliveries(session: Session, told: Iterable[tuple[int, int, str, int]]) -> None:
    """Each message takes the strongest news about it, the earliest of two alike: one statement.

    `told` is (message, its rank when it was looked up, kind of news, instant of the news).
    """
    best: dict[int, tuple[int, int]] = {}
    for of, known, kind, at in told:
        rank = _RANK.get(kind, -1)
        if rank >= max(known, 0):
            best[of] = max(best.get(of, (-1, 0)), (rank, -at))
    if not best:
        return
    rows = [(of, str(_WORDS[rank]), rank, -at) for of, (rank, at) in sorted(best.items())]
    if (kind := session.get_bind().dialect.name) == "sqlite":
        session.execute(_MOVE[kind], {"told": json.dumps(rows)})
    else:
        lists = dict(zip(("ids", "words", "ranks", "moments"), map(list, zip(*rows, strict=True)), strict=True))
        session.execute(_MOVE[kind], lists)

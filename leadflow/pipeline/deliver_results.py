"""Writes the provider's answers into their messages, all that came together at once."""

from collections.abc import Iterator, Mapping, Sequence

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from leadflow.pipeline.deliver_answers import Result
from leadflow.types import MessageState

#: Name and type of what is told of each answer: `left` when it was sent or may have been, `free` is not counted.
_TOLD = {
    "id": "BIGINT",
    "owner": "TEXT",
    "attempt": "TEXT",
    "state": "TEXT",
    "reason": "TEXT",
    "theirs": "TEXT",
    "again": "BIGINT",
    "note": "TEXT",
    "certain": "INTEGER",
    "left": "INTEGER",
    "free": "INTEGER",
}
_SET = (
    "UPDATE message SET state = {state}, reason = {reason}, provider_id = {theirs}, send_at = {again}, note = {note},"
    " sent_at = CASE {left} WHEN 1 THEN message.sent_at END, attempts = message.attempts - {free}, owner = NULL"
)
#: A row that reconciliation moved on in the meantime is left alone; one that it has given up as unknown takes an answer
#: that says for certain, however late. States are compared as expressions: no index may answer, see `is_claimed`.
_WHERE = (
    " WHERE message.id = {id} AND message.owner = {owner} AND message.attempt_id || '' = {attempt}"
    " AND (message.state || '' = :sending OR message.state || '' = :unknown AND {certain} = 1)"
)
_PICKED = ", ".join(f"json_extract(value, '$.{name}') AS \"{name}\"" for name in _TOLD)
_TYPED = ", ".join(f'"{name}" {kind}' for name, kind in _TOLD.items())
_COLUMNS = {name: f'told."{name}"' for name in _TOLD}
#: All of them at once: one after the other they cost PostgreSQL twice the CPU, and keep SQLite's other writers waiting.
_FROM = {
    "postgresql": f"json_to_recordset(CAST(:told AS json)) AS told({_TYPED})",
    "sqlite": f"(SELECT {_PICKED} FROM json_each(:told)) AS told",  # noqa: S608 - our own names
}
_ALL = {name: text(f"{_SET.format(**_COLUMNS)} FROM {told}{_WHERE.format(**_COLUMNS)}") for name, told in _FROM.items()}
_STATES = {"sending": MessageState.SENDING.value, "unknown": MessageState.UNKNOWN.value}


def record_results(session: Session, results: Mapping[str, Sequence[Result]]) -> None:
    """UPDATE message: the answers by the owner of their claim."""
    rows = list(_rows(results))
    if not rows:
        return
    connection = session.connection()
    told = orjson.dumps([dict(zip(_TOLD, row, strict=True)) for row in rows]).decode()
    connection.execute(_ALL[connection.dialect.name], {"told": told} | _STATES)


def _rows(results: Mapping[str, Sequence[Result]]) -> Iterator[tuple[object, ...]]:
    for owner, answered in results.items():
        for one in answered:
            certain = one.state in (MessageState.ACCEPTED, MessageState.FAILED)
            left = one.state in (MessageState.ACCEPTED, MessageState.UNKNOWN)
            kept = (one.state.value, one.reason and one.reason.value, one.provider_id, one.send_at, one.note)
            yield one.id, owner, one.attempt_id, *kept, int(certain), int(left), int(one.is_free)

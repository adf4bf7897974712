"""The stand-in's message log: POST /v3/logs with its small query language, GET /v3/logs/{id}, behind an index lag."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.faults.record import Accepted

#: Of the official description: field, operators; conditions are joined by AND, nothing nests.
_ALLOWED = {
    "sg_message_id": {"="},
    "subject": {"="},
    "to_email": {"="},
    "status": {"IN"},
    "reason": {"="},
    "categories": {"IN"},
    "sg_message_id_created_at": {">", "<", ">=", "<="},
}
#: Thousands of rows are looked through for one address: what a test reads must be at hand.
_FIELDS: Mapping[str, Callable[[Accepted], object]] = {
    "sg_message_id": lambda row: full_id(row),
    "subject": lambda row: row.subject,
    "to_email": lambda row: row.to,
    "status": lambda _row: "processed",
}
_CONDITION = re.compile(
    r"""\s*(?P<field>\w+)\s*(?P<operator>>=|<=|=|>|<|\bIN\b)\s*
    (?:TIMESTAMP\s+)?(?P<value>"[^"]*"|'[^']*'|\([^()]*\))\s*(?:AND\b|$)""",
    re.VERBOSE,
)


class QueryError(Exception):
    """The query is none of the language."""


def search(rows: Sequence[Accepted], query: str, limit: int, *, lag: float) -> list[dict[str, Any]]:
    """Summaries of what the index holds and `query` matches, the newest first; no custom arguments among them."""
    if not 1 <= limit <= 1000:
        raise QueryError("limit")
    tests = _parse(query)
    known = (row for row in reversed(rows) if row.at + lag <= time.time())
    found = (row for row in known if all(test(row) for test in tests))
    return [_summary(row) for row, _n in zip(found, range(limit), strict=False)]


def detail(rows: Sequence[Accepted], number: str, *, lag: float) -> dict[str, Any] | None:
    """All that is known of one message, its custom arguments nested; None while the index has not got it."""
    request = number.partition(".")[0]
    row = next((row for row in reversed(rows) if row.id == request), None)
    if row is None or row.at + lag > time.time():
        return None
    arguments = {"lf_message": str(row.message), "lf_attempt": row.attempt}
    more: dict[str, Any] = {"api_key_id": "k", "events": [], "client_ip": "127.0.0.1", "custom_args": arguments}
    return _summary(row) | more


def full_id(row: Accepted) -> str:
    """The id of the message: it begins with that of the request."""
    return f"{row.id}.recvd-5f4b-1-0"


def _summary(row: Accepted) -> dict[str, Any]:
    return {
        "from_email": row.sender,
        "sg_message_id": full_id(row),
        "subject": row.subject,
        "to_email": row.to,
        "status": "processed",
        "sg_message_id_created_at": datetime.fromtimestamp(row.at, UTC).isoformat().replace("+00:00", "Z"),
    }


def _parse(query: str) -> list[Callable[[Accepted], bool]]:
    tests: list[Callable[[Accepted], bool]] = []
    place = 0
    while place < len(query.rstrip()):
        found = _CONDITION.match(query, place)
        if found is None or found["operator"] not in _ALLOWED.get(found["field"], ()):
            raise QueryError(query)
        tests.append(_test(found["field"], found["operator"], found["value"]))
        place = found.end()
    return tests


def _nothing(_row: Accepted) -> object:
    return None


def _test(field: str, operator: str, value: str) -> Callable[[Accepted], bool]:
    of = _FIELDS.get(field, _nothing)
    if operator == "IN":
        among = {part.strip().strip("'\"") for part in value.strip("()").split(",")}
        return lambda row: of(row) in among
    plain = value[1:-1]
    if operator == "=":
        return lambda row: of(row) == plain
    at = datetime.fromisoformat(plain).timestamp()
    compare: dict[str, Callable[[float], bool]] = {
        ">": lambda of: of > at,
        "<": lambda of: of < at,
        ">=": lambda of: of >= at,
        "<=": lambda of: of <= at,
    }
    return lambda row: compare[operator](row.at)

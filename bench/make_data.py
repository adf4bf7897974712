"""A workspace of any size, the same for the same seed: leads, companies, a year of events and a night's new ones."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Engine, Table

from leadflow.conditions.words import fold, fold_words
from leadflow.models import account, event, event_inbox, identity, lead, lead_score, lead_state
from leadflow.types import DAY, instant_of, micros, month_of

Row = tuple[Any, ...]

#: The night before, whose work is done, and the night that is measured.
BEFORE = datetime(2026, 3, 22, 3, 15, tzinfo=UTC)
NOW = BEFORE + timedelta(days=1)

_KINDS = (
    [("page_viewed", p) for p in ("/", "/blog/seo", "/tarifs", "/realisations/vannes", "/e-commerce", "/recrutement")]
    * 4
    + [("email_clicked", "/blog/seo")] * 6
    + [("content_downloaded", "/livre-blanc"), ("social_engaged", None), ("webinar_attended", None)]
    + [("newsletter_joined", None), ("email_replied", None)]
)
_RARE = ("quote_requested", "demo_requested", "meeting_booked")
_TITLES = ("Gérante", "Directeur général", "Responsable marketing", "Chef de projet digital", "Acheteur", "étudiant")
_CHOICES: dict[str, tuple[Any, ...]] = {
    "role": ("decides", "recommends", "uses", "unknown"),
    "industry": ("retail", "manufacturing", "professional_services", "public", "other"),
    "employees": (1, 2, 8, 12, 40, 62, 180, 400, 2500),
    "cms": ("wordpress", "prestashop", "shopify", "other", "none"),
    "project": ("new_site", "redesign", "seo", "strategy", "none", "none", "none", "none"),
    "budget": ("under_5k", "5k_15k", "15k_40k", "over_40k", "unknown"),
    "deadline": ("2026-04-15", "2026-06-01", "2026-11-30", "2027-02-01"),
    "job_title": _TITLES,
}


def load_data(engine: Engine, *, leads: int, events: int, seed: int = 42) -> None:
    """Fill an empty database: `events` in all, three in a hundred of them new since `BEFORE`."""
    dice = random.Random(seed)
    new = events * 3 // 100
    _copy_dicts(engine, account, _accounts(leads // 2))
    _copy_dicts(engine, lead, _leads(dice, leads))
    _copy_dicts(engine, identity, _identities(leads))
    _copy_dicts(engine, lead_score, (_UNSCORED | {"lead_id": i} for i in _ids(leads)))
    _copy_dicts(engine, lead_state, _states(leads))
    for index in event.indexes:
        index.drop(engine)
    _copy(engine, event, _EVENT, _events(dice, leads, range(1, events - new + 1), since=365 * DAY, until=BEFORE))
    # Sorting all events once beats finding the place of each in three trees.
    for index in event.indexes:
        index.create(engine)
    fresh = list(_events(dice, leads, range(events - new + 1, events + 1), since=DAY, until=NOW))
    _copy(engine, event, _EVENT, fresh)
    _copy(engine, event_inbox, ("event_id", *_EVENT[1:3], *_EVENT[4:6]), ((*e[:3], *e[4:6]) for e in fresh))


#: Columns of an event, in the order in which they are made.
_EVENT = ("id", "month", "lead_id", "kind", "occurred_at", "received_at", "path", "weight", "properties")
_UNSCORED = {"fit": 0, "engagement": 0, "velocity": 0, "band": "D4"}


def _ids(n: int) -> range:
    return range(1, n + 1)


def _accounts(n: int) -> Iterator[dict[str, Any]]:
    for i in _ids(n):
        yield {"id": i, "key": f"c{i}.example", "name": f"Company {i}", "created_at": micros(BEFORE) - 400 * DAY}


def _leads(dice: random.Random, n: int) -> Iterator[dict[str, Any]]:
    born = micros(BEFORE) - 366 * DAY
    for i in _ids(n):
        given = {name: dice.choice(values) for name, values in _CHOICES.items() if dice.random() < 0.6}
        texts = {name: value for name, value in given.items() if name == "job_title"}
        folded = {k: fold(v) for k, v in texts.items()} | {f"{k}#words": fold_words(v) for k, v in texts.items()}
        yield {
            "id": i,
            "seed": i * 48271 % (2**31 - 1),
            "account_id": dice.randint(1, max(n // 2, 1)),
            "address_id": i,
            "first_name": dice.choice(("Claire", "Luc", "Aoife", None)),
            "language": dice.choice(("fr", "fr", "fr", "en", None)),
            "country": dice.choice(("FR", "FR", "FR", "BE", "CH", "IE", "DE", None)),
            "email_domain": f"c{i % 1000}.example",
            "email_is_free": dice.random() < 0.2,
            "audience": "b2b",
            "basis": "legitimate_interest",
            # Few came without the word that says whence, and may not be mailed.
            "source": None if dice.random() < 0.03 else dice.choice(("organic search", "trade fair", "social")),
            "informed_on": "2025-06-01",
            "no_mail": False,
            "attributes": given,
            "folded": folded,
            "provenance": {},
            "first_seen_at": born,
            "created_at": born,
            "updated_at": born,
        }


def _identities(n: int) -> Iterator[dict[str, Any]]:
    for i in _ids(n):
        yield {"id": i, "kind": "email", "value": f"p{i}@c{i % 1000}.example", "hash": f"{i:064x}", "lead_id": i}


def _states(n: int) -> Iterator[dict[str, Any]]:
    born = micros(BEFORE) - 366 * DAY
    zero = {"qualification": 0, "criteria": 0, "with_sales": False, "hot": 0, "lifecycle": "lead", "stage": "discovery"}
    for i in _ids(n):
        yield zero | {"lead_id": i, "stage_since": born, "lifecycle_since": born}


def _events(dice: random.Random, leads: int, ids: range, *, since: int, until: datetime) -> Iterator[Row]:
    last, chance, month = micros(until) - 1, dice.random, _month_of
    for i in ids:
        kind, path = (dice.choice(_RARE), None) if chance() < 0.004 else _KINDS[int(chance() * len(_KINDS))]
        at = last - int(chance() * since)
        weight = dice.choice((100, 30, 0)) if kind == "email_clicked" else 100
        # Some people do much, most little.
        yield i, month(at // DAY), 1 + int(leads * chance() ** 1.5), kind, at, at, path, weight, "{}"


@cache
def _month_of(day: int) -> int:
    return month_of(instant_of(day * DAY))


def _copy(engine: Engine, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
    """Bulk load, past SQLAlchemy: COPY on PostgreSQL, executemany on SQLite."""
    columns = ", ".join(names)
    with engine.begin() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        if engine.dialect.name == "sqlite":
            marks = ", ".join("?" * len(names))
            raw.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", rows)
            return
        with raw.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _copy_dicts(engine: Engine, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    rows = iter(rows)
    first = next(rows, None)
    if first is not None:
        names = list(first)
        _copy(engine, table, names, (tuple(_plain(row[name]) for name in names) for row in chain((first,), rows)))


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def settle(engine: Engine) -> None:
    """Statistics for the planner, as after any bulk load."""
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")

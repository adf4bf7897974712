"""Engines for both databases, the column type of instants, and the SQL that differs between them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Engine,
    Insert,
    Integer,
    Select,
    Table,
    Text,
    any_,
    cast,
    create_engine,
    event,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB, REGCLASS
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from leadflow.connections import (
    READS_ONLY,
    WATCHFUL,
    QueuedConnection,
    begin_sqlite,
    tune_postgresql,
    tune_sqlite,
    watch_again,
)
from leadflow.db.working import CreateTableAs as CreateTableAs
from leadflow.db.working import analyze as analyze
from leadflow.db.working import once as once
from leadflow.db.working import refill as refill
from leadflow.db.working import refresh_statistics as refresh_statistics
from leadflow.db.working import sample_little as sample_little
from leadflow.db.working import stage as stage
from leadflow.db.working import unstage as unstage
from leadflow.queueing import Queue
from leadflow.types import instant_of, micros

#: An integer key that SQLite can count up by itself.
Key = BigInteger().with_variant(Integer(), "sqlite")

#: Text that sorts and compares by code point on both databases.
Word = Text().with_variant(Text(collation="C"), "postgresql")


class Instant(TypeDecorator[datetime]):
    """BIGINT of UTC microseconds that takes and gives aware datetimes; a naive one is a ValueError.

    Whole microseconds (int) pass as they are, so that time arithmetic in SQL stays integer arithmetic.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return micros(value) if isinstance(value, datetime) else value

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else instant_of(value)

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:  # noqa: ARG002
        return self if isinstance(value, datetime) else BigInteger()


class database_now(FunctionElement[int]):  # noqa: N801 - reads as the SQL function it is
    """The database's own clock in UTC microseconds: for leases, locks and buckets, never for decisions."""

    type = BigInteger()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _sqlite_now(_element: Any, _compiler: Any, **_kw: Any) -> str:
    # julianday has millisecond resolution, which a lease of seconds does not miss.
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


@compiles(database_now, "postgresql")
def _postgresql_now(_element: Any, _compiler: Any, **_kw: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"


class json_object(FunctionElement[Any]):  # noqa: N801 - reads as the SQL function it is
    """A JSON object built by the database from expressions: `json_object(rep=escalation.c.rep)`."""

    type = JSON()
    inherit_cache = True

    def __init__(self, values: Mapping[str, ColumnElement[Any]] | None = None, /, **more: ColumnElement[Any]) -> None:
        pairs = {**(values or {}), **more}.items()
        super().__init__(*(part for key, value in pairs for part in (_quoted(key), value)))


def _quoted(key: str) -> ColumnElement[str]:
    # Written into the statement: PostgreSQL cannot tell the type of a bound key.
    return literal_column("'" + key.replace("'", "''") + "'", Text())


@compiles(json_object, "sqlite")
def _sqlite_object(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_object({compiler.process(element.clauses, **kw)})"


@compiles(json_object, "postgresql")
def _postgresql_object(element: Any, compiler: Any, **kw: Any) -> str:
    return f"jsonb_build_object({compiler.process(element.clauses, **kw)})"


def make_engine(url: str) -> Engine:
    """An engine for `url` (sqlite:///… or postgresql+psycopg://…), tuned for set-based work."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    # An error that quotes its parameters would carry addresses into logs.
    if not url.startswith("sqlite"):
        told = {name: value for name, value in WATCHFUL.items() if name not in make_url(url).query}
        engine = create_engine(url, pool_size=10, max_overflow=10, hide_parameters=True, connect_args=told)
        event.listen(engine, "connect", tune_postgresql)
        event.listen(engine, "after_cursor_execute", watch_again)
        return engine
    kind = type("Connection", (QueuedConnection,), {"queue": Queue()})
    # As many connections as the door has threads: to open one takes as long as to write a form.
    pool: dict[str, Any] = {"pool_size": 40, "pool_use_lifo": True} if make_url(url).database else {}
    opened = {"check_same_thread": False, "factory": kind}
    engine = create_engine(url, connect_args=opened, hide_parameters=True, **pool)
    event.listen(engine, "connect", tune_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def reading(engine: Engine) -> Engine:
    """`engine` for those who only read: they do not wait for whoever writes."""
    return engine.execution_options(**{READS_ONLY: True})


def in_one_go(engine: Engine) -> Engine:
    """`engine` for a transaction of one statement: PostgreSQL begins and commits it by itself, not asked for either."""
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="AUTOCOMMIT")


def insert_into(session: Session, table: Table) -> postgresql.Insert:
    """An INSERT that knows ON CONFLICT on the session's database.

    Both dialects spell it alike. An insert-select needs a WHERE on SQLite (`.where(true())`).
    """
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)  # type: ignore[return-value]
    return postgresql.insert(table)


def among(session: Session, column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether `column` is one of `values`: one parameter, however many there are, and one text of the statement."""
    if session.get_bind().dialect.name == "sqlite":
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(listed.c.value))
    # The driver takes longer to write a long array than the server to look all of it up.
    each = select(func.jsonb_array_elements_text(cast(list(values), JSONB))).scalar_subquery()
    return column == any_(func.array(each, type_=ARRAY(Text())))


def insert_missing(table: Table, names: Sequence[str], rows: Select[Any]) -> Insert:
    """INSERT … SELECT of the rows whose keys are new; `rows` has a WHERE, for SQLite's sake.

    Spelt as the end of the SELECT, which both databases read alike: SQLAlchemy compiles its own ON CONFLICT anew at
    each execution, and this once.
    """
    return insert(table).from_select(list(names), rows.suffix_with("ON CONFLICT DO NOTHING"))


def load_rows(session: Session, table: Table, rows: Sequence[Mapping[str, int]]) -> None:
    """Insert many rows of whole numbers: by COPY on PostgreSQL, which takes an eighth of the time."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(insert(table), rows)
    elif rows:
        names = list(rows[0])
        driver = session.connection().connection.driver_connection
        assert driver is not None  # noqa: S101 - narrows what SQLAlchemy types as optional
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])


def reserve_ids(session: Session, column: Column[int], n: int) -> range | tuple[int, ...]:
    """`n` new ids of a counted key, in one statement, so that rows which refer to each other go in at once.

    PostgreSQL takes them from the sequence, as one value; on SQLite this transaction is the only writer.
    """
    if session.get_bind().dialect.name == "sqlite":
        last = session.scalar(select(func.max(column))) or 0
        return range(last + 1, last + 1 + n)
    # Looked up once, not for each id.
    found = func.pg_get_serial_sequence(column.table.name, column.name)
    sequence = select(cast(found, REGCLASS)).scalar_subquery()
    taken = select(func.array_agg(func.nextval(sequence))).select_from(func.generate_series(1, n))
    return tuple(session.scalar(taken) or ())


class least(FunctionElement[int]):  # noqa: N801 - reads as a SQL function
    """The smaller of two numbers, neither of them NULL: `min(a, b)` is an aggregate on PostgreSQL."""

    type = BigInteger()
    inherit_cache = True


class greatest(FunctionElement[int]):  # noqa: N801
    """The larger of two numbers, neither of them NULL."""

    type = BigInteger()
    inherit_cache = True


@compiles(least)
def _least(element: Any, compiler: Any, **kw: Any) -> str:
    name = "min" if compiler.dialect.name == "sqlite" else "least"
    return f"{name}({compiler.process(element.clauses, **kw)})"


@compiles(greatest)
def _greatest(element: Any, compiler: Any, **kw: Any) -> str:
    name = "max" if compiler.dialect.name == "sqlite" else "greatest"
    return f"{name}({compiler.process(element.clauses, **kw)})"

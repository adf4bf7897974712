"""What every connection to a database is told when it opens: how durable it is, and how long it waits for whom."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

#: A PostgreSQL that went away with its machine is missed within a minute: by itself a client waits for hours. Each of
#: them may be set otherwise in the address of the database.
WATCHFUL = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

#: Between two statements of a transaction we compute, and never wait: for seconds where a million leads are decided on.
#: Whoever takes longer is frozen, or gone with its machine, and holds the rows that the others wait for, the counts of
#: a pace among them. Theirs before the claims of a frozen worker lapse, and before its mails are too old to be sent.
IDLE_IN_TRANSACTION = "90s"


def tune_sqlite(connection: Any, _record: Any) -> None:
    """Durable, patient with other writers, and modest."""
    # The driver must not open transactions by itself: BEGIN IMMEDIATE below is what serialises writers.
    connection.isolation_level = None
    cursor = connection.cursor()
    # Room for 200 MB of pages and no more: mapping the file, or working tables in memory, is no faster with a million
    # leads, and takes a gigabyte.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "cache_size=-200000",
        "temp_store=FILE",
        "mmap_size=0",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def tune_postgresql(connection: Any, _record: Any) -> None:
    """Fast in large statements, and none of ours keeps rows from the others for long."""
    with connection.cursor() as cursor:
        # A sweep is a dozen large statements, not thousands of small ones: let each sort and hash in memory.
        cursor.execute("SET work_mem = '64MB'")
        cursor.execute("SET jit = off")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION}'")
    connection.commit()


def watch_again(_connection: Any, cursor: Any, _sql: str, _given: Any, _context: Any, executemany: bool) -> None:
    """After many at once let PostgreSQL watch the transaction again.

    psycopg sends them in a pipeline and a flush after it, at which the server stops its watch for an idle transaction;
    any other statement begins it anew.
    """
    if executemany:
        cursor.connection.execute("SELECT 1")


def begin_immediate(connection: Any) -> None:
    """A transaction of SQLite that may write from its beginning on."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def forgetful(connection: Connection) -> Sequence[str]:
    """Settings, as `name=value`, with which the database may forget what it has committed."""
    if connection.dialect.name == "sqlite":
        level = int(connection.scalar(text("PRAGMA synchronous")) or 0)
        return () if level >= 2 else (f"synchronous={level}",)
    names = ("synchronous_commit", "fsync")
    return [f"{name}=off" for name in names if connection.scalar(text(f"SHOW {name}")) == "off"]

"""What every connection to a database is told when it opens: how durable it is, and how long it waits for whom."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from leadflow.queueing import Queue

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
#: How long a writer of SQLite waits for those before it.
PATIENCE = 30.0
#: The option of an engine or a connection that only reads.
READS_ONLY = "leadflow_reads_only"


class QueuedConnection(sqlite3.Connection):
    """A connection whose transactions that write stand in a queue with those of its process."""

    queue: Queue | None = None
    _is_served = False

    def come_first(self) -> None:
        """Wait for its turn; OperationalError when that takes too long."""
        if self.queue is not None:
            if not self.queue.enter(PATIENCE):
                raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))
            self._is_served = True

    def commit(self) -> None:
        """COMMIT, and let the next one write."""
        try:
            super().commit()
        finally:
            # A commit that failed is followed by a rollback.
            if not self.in_transaction:
                self.leave()

    def rollback(self) -> None:
        """ROLLBACK, and let the next one write."""
        try:
            super().rollback()
        finally:
            self.leave()

    def close(self) -> None:
        """End whatever it was about."""
        try:
            super().close()
        finally:
            self.leave()

    def leave(self) -> None:
        """Let the next one write."""
        if self.queue is not None and self._is_served:
            self._is_served = False
            self.queue.leave()


def tune_sqlite(connection: Any, _record: Any) -> None:
    """Durable, patient with other writers, and modest."""
    # The driver must not open transactions by itself: BEGIN IMMEDIATE below is what serialises writers.
    connection.isolation_level = None
    cursor = connection.cursor()
    # Room for 150 MB of pages and no more: mapping the file, or working tables in memory, is no faster with a million
    # leads, and takes a gigabyte.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={PATIENCE * 1000:.0f}",
        "cache_size=-150000",
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


def begin_sqlite(connection: Connection) -> None:
    """A transaction that may write from its beginning on, or one that reads a single moment and waits for nobody."""
    if connection.get_execution_options().get(READS_ONLY):
        connection.exec_driver_sql("BEGIN")
    else:
        driver = connection.connection.driver_connection
        assert isinstance(driver, QueuedConnection)  # noqa: S101 - as `make_engine` opens them
        driver.come_first()
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            driver.leave()
            raise


def forgetful(connection: Connection) -> Sequence[str]:
    """Settings, as `name=value`, with which the database may forget what it has committed."""
    if connection.dialect.name == "sqlite":
        level = int(connection.scalar(text("PRAGMA synchronous")) or 0)
        return () if level >= 2 else (f"synchronous={level}",)
    names = ("synchronous_commit", "fsync")
    return [f"{name}=off" for name in names if connection.scalar(text(f"SHOW {name}")) == "off"]

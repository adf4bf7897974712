"""A setting that cannot be, and a database that cannot be used, are told in plain words."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from leadflow import db
from leadflow.connections import tune_sqlite
from tests.cli.conftest import Types


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("ESP", "foo", "LEADFLOW_ESP is foo: write one of file, smtp, sendgrid, memory"),
        ("ESP", "", 'LEADFLOW_ESP is "": write one of file'),
        ("PROCESSES", "many", "LEADFLOW_PROCESSES is many: write a whole number"),
        ("SIMULATED", "perhaps", "LEADFLOW_SIMULATED is perhaps: write true or false"),
        (
            "DATABASE_URL",
            "mysql://me:hunter2@there/x",
            "_URL: neither SQLite nor PostgreSQL with psycopg; write sqlite",
        ),
        ("DATABASE_URL", "postgresql+asyncpg://me:hunter2@there/x", "_URL: neither SQLite nor PostgreSQL with psycopg"),
        ("DATABASE_URL", "postgresql://me:hunter2@there:many/x", "_URL: the port is no number; write sqlite:///FILE"),
        ("DATABASE_URL", "postgresql://me:hunter2@there:99999/x", "_URL: the port is no number from 1 to 65535"),
        ("DATABASE_URL", "postgresql://me:hunter2@there", "_URL: names no database; write sqlite:///FILE or postgres"),
        ("DATABASE_URL", "sqlite://leads.db", "_URL: names no file after three slashes; write sqlite:///FILE"),
        ("DATABASE_URL", "hunter2", "_URL: neither SQLite nor PostgreSQL with psycopg; write sqlite:///FILE"),
    ],
)
def test_a_setting_that_cannot_be_is_told_with_what_to_write(
    types: Types, monkeypatch: pytest.MonkeyPatch, name: str, value: str, right: str
) -> None:
    monkeypatch.setenv(f"LEADFLOW_{name}", value)
    done = types("check")
    assert (done.exit_code, done.stdout) == (2, "")
    assert right in done.stderr
    assert "hunter2" not in done.output


def test_a_line_of_the_env_file_that_cannot_be_is_told_too(types: Types, place: Path) -> None:
    (place / ".env").write_text("LEADFLOW_ESP=foo\n")
    done = types("outbox")
    assert done.exit_code == 2
    assert "LEADFLOW_ESP is foo: write one of file, smtp, sendgrid, memory" in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql+psycopg://u:hunter2@127.0.0.1:1/none", "Connection refused"),
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("sqlite:///{place}/.env", "file is not a database"),
    ],
)
def test_a_database_that_is_not_there_is_told_in_plain_words(
    types: Types, place: Path, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("LEADFLOW_DATABASE_URL", url.format(place=place))
    done = types("outbox")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("the database cannot be used just now: ")
    assert words in done.stderr
    assert "hunter2" not in done.output


def test_a_database_that_somebody_keeps_locked_is_told_in_plain_words(
    types: Types, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hurry(connection: sqlite3.Connection, record: object) -> None:
        tune_sqlite(connection, record)
        connection.execute("PRAGMA busy_timeout=50")

    # As it is, a connection waits half a minute for a lock.
    monkeypatch.setattr(db, "tune_sqlite", hurry)
    with closing(sqlite3.connect(place / "var" / "leadflow.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = types("outbox")
    assert (done.exit_code, done.stderr.strip()) == (2, "the database cannot be used just now: database is locked")

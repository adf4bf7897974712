"""People from a file: `leadflow import`'s work, and the floor, which reads the file and writes the same rows."""

import csv
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Engine, Table
from sqlalchemy.orm import Session

from leadflow.db import make_engine
from leadflow.intake.bulk import insert_rows
from leadflow.intake.csvfile import open_csv
from leadflow.intake.importing import BATCH
from leadflow.intake.leads import LegalGrounds, import_leads
from leadflow.intake.mapping import Wishes, map_columns
from leadflow.migrations import upgrade
from leadflow.models import account, identity, lead, lead_score, lead_state
from leadflow.playbook.load import load_playbook

_PLAYBOOK = load_playbook(Path(__file__).parents[1])
_GROUNDS = LegalGrounds(basis="legitimate_interest", source="trade fair", informed_on="2026-02-13")
_FILLED = (account, lead, lead_score, lead_state, identity)


def import_file(url: str, path: Path) -> float:
    """Seconds from opening the file to the last commit."""
    engine = make_engine(url)
    upgrade(engine)
    started = time.perf_counter()
    file = open_csv(path)
    mapping = map_columns(file, Wishes(), _PLAYBOOK.fields)
    now = datetime.now(UTC)
    done = import_leads(engine, _PLAYBOOK, file, mapping, grounds=_GROUNDS, key="b" * 32, now=now)
    seconds = time.perf_counter() - started
    assert done.created == done.rows == file.rows
    engine.dispose()
    return seconds


def write_rows_again(url: str, empty: str, path: Path) -> float:
    """The floor: seconds to read the file with `csv` and to load the finished rows of `url` into an empty database."""
    source, target = make_engine(url), make_engine(empty)
    upgrade(target)
    rows = {table: stored_rows(source, table) for table in _FILLED}
    started = time.perf_counter()
    with path.open(newline="", encoding="utf-8") as file:
        assert sum(1 for _row in csv.reader(file)) > len(rows[lead])
    with Session(target) as session:
        session.connection()
        load_rows(session, account, rows[account])
        for first in range(0, len(rows[lead]), BATCH):
            for table in _FILLED[1:]:
                load_rows(session, table, rows[table][first : first + BATCH])
            session.commit()
    seconds = time.perf_counter() - started
    for engine in (source, target):
        engine.dispose()
    return seconds


def load_rows(session: Session, table: Table, rows: list[tuple[Any, ...]]) -> None:
    """Write what `stored_rows` read."""
    insert_rows(session, table, [column.name for column in table.c], rows)


def stored_rows(engine: Engine, table: Table) -> list[tuple[Any, ...]]:
    """The rows of `table` in the order of their first column, as the database gives and takes them."""
    names = ", ".join(_as_text(engine, table, column.name) for column in table.c)
    with engine.connect() as connection:
        return list(map(tuple, connection.exec_driver_sql(f"SELECT {names} FROM {table.name} ORDER BY 1")))


def _as_text(engine: Engine, table: Table, name: str) -> str:
    is_json = isinstance(table.c[name].type, JSON)
    return f"{name}::text" if is_json and engine.dialect.name == "postgresql" else name

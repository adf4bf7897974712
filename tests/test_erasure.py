"""A person's rights: whatever field a word was planted in, the copy has it, and after the erasure nothing has."""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Engine, LargeBinary, Table, Text, insert, select, text
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.app.person import copy_of, erase
from leadflow.intake.holdings import IMPERSONAL, personal_tables
from leadflow.links import address_hash
from leadflow.models import account, identity, intake, lead, metadata, suppression
from leadflow.pipeline.engage import engage_leads
from leadflow.types import EVERYONE
from tests.apps import an_app
from tests.build import NIGHT

KEY = "k" * 32
TOKEN = "xq7canaryzz"
ADA, BOB = f"{TOKEN}@x.example", "bob@y.example"
#: Ids of the person who goes, and of the one who stays.
GOES, STAYS = 7, 8


def plant(session: Session, person: int, word: str, address: str) -> None:
    """A row in every table that may be about a person, the word in every column that holds text."""
    own = {"key": f"name:{word}", "id": person}
    session.execute(insert(account), _row(account, person, word) | own)
    tables = sorted(personal_tables(), key=lambda table: (table is not lead, table is not identity, table.name))
    for table in tables:
        row = _row(table, person, word)
        if table is identity:
            row |= {"kind": "email", "value": address, "hash": address_hash(KEY, address)}
        session.execute(insert(table), row)


def _row(table: Table, person: int, word: str) -> dict[str, Any]:
    return {column.name: _value(column, person, word) for column in table.c}


def _value(column: Column[Any], person: int, word: str) -> Any:
    match column.type:
        case JSON():
            return {"planted": word}
        case Boolean():
            return False
        case LargeBinary():
            return word.encode()
        case Text():
            return f"{word}-{column.name}"
        case _:
            return 202603 if column.name == "month" else person


@pytest.fixture
def app(engine: Engine, tmp_path: Path) -> App:
    """Two people in every table, posts that speak of both, and files about each."""
    app = an_app(engine, workspace=tmp_path)
    posts: list[Any] = [
        {"email": ADA.upper(), "fields": {"job_title": TOKEN}},
        [{"email": ADA, "ip": TOKEN}, {"email": BOB}],
        {"email": BOB},
    ]
    with Session(engine) as session, session.begin():
        plant(session, GOES, TOKEN, ADA)
        plant(session, STAYS, "bystander", BOB)
        bodies = [json.dumps(post).encode() for post in posts]
        bodies += [bodies[0].replace(b"@", b"\\u0040"), f"From: <{ADA}>\r\n\r\n{TOKEN}".encode()]
        session.execute(insert(intake), [{"kind": "form", "received_at": NIGHT, "body": body} for body in bodies])
    for name, content in files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return app


def files() -> Mapping[str, str]:
    """What lies in a workspace that has written to both."""
    mine = f'2,"bad\ncountry","{ADA}",{TOKEN}\n'
    return {
        "outbox/2026-03-23/0415-a.eml": f"To: {TOKEN} <{ADA}>\n\nHello {TOKEN}",
        "outbox/2026-03-23/0415-b.eml": f"To: <{BOB}>\n\nHello",
        "var/handovers/000007.json": json.dumps({"lead": {"address": ADA, "last_name": TOKEN}}),
        "var/handovers/000008.json": json.dumps({"lead": {"address": BOB}}),
        "var/alerts/000007-ines.md": f"# {TOKEN}-first_name {TOKEN}-last_name — Acme",
        "fair.rejects.csv": f"line,reason,email\n{mine}3,bad,{BOB}\n",
    }


def rows_of(app: App) -> str:
    """All tables, as text."""
    with Session(app.engine) as session:
        rows = [
            repr([bytes(value) if isinstance(value, memoryview) else value for value in row])
            for table in metadata.sorted_tables
            for row in session.execute(text(f'SELECT * FROM "{table.name}"'))  # noqa: S608 - names of our tables
        ]
    return "\n".join(rows).lower()


def everything(app: App) -> str:
    """All tables and all files, as text."""
    found = [path.read_bytes().decode("latin-1") for path in app.settings.workspace.rglob("*") if path.is_file()]
    return "\n".join([rows_of(app), *found]).lower()


def about(app: App, word: str) -> int:
    """How often a word stands somewhere."""
    return everything(app).count(word)


def test_after_an_erasure_a_planted_word_is_nowhere_and_everybody_else_is_whole(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    # SQLite's own file is one of those that must not have it.
    caplog.set_level(logging.DEBUG)
    bystander, bob = about(app, "bystander"), about(app, BOB)
    assert about(app, TOKEN) > 50

    done = erase(app, [GOES], NIGHT)

    assert TOKEN not in everything(app)
    assert TOKEN not in caplog.text
    assert done.remaining == ()
    assert (about(app, "bystander"), about(app, BOB)) == (bystander, bob)


def test_an_objection_outlives_the_erasure_as_a_keyed_hash(app: App) -> None:
    erase(app, [GOES], NIGHT)
    with Session(app.engine) as session:
        known = select(suppression.c.address_hash).where(suppression.c.reason == "objected")
        assert session.scalars(known).all() == [address_hash(KEY, ADA)]


def test_who_was_silent_for_years_has_not_objected(app: App) -> None:
    erase(app, [GOES], NIGHT, objects=False)
    with Session(app.engine) as session:
        assert session.scalars(select(suppression.c.reason)).all() == []


def test_a_copy_has_every_table_a_person_is_in_and_nothing_of_anybody_else(app: App) -> None:
    copy = copy_of(app, GOES, NIGHT)

    told = json.dumps(copy)
    assert set(copy["held"]) >= {table.name for table in personal_tables()} | {"account", "intake"}
    assert "bystander" not in told
    assert BOB not in told
    assert len(copy["files"]) == 3


def test_erasing_somebody_twice_is_fine(app: App) -> None:
    erase(app, [GOES], NIGHT)
    assert erase(app, [GOES], NIGHT).rows == 0


def test_what_a_provider_tells_later_does_not_bring_an_erased_address_back(app: App) -> None:
    erase(app, [GOES], NIGHT)
    told = {"email": ADA.upper(), "timestamp": 1_773_000_000, "ip": TOKEN, "response": f"550 <{ADA}>"}
    news = [
        {**told, "event": "bounce", "lf_attempt": "of-a-mail-that-is-erased"},
        {**told, "event": "spamreport", "sg_event_id": "e2"},
        {"email": BOB, "timestamp": 1_773_000_000, "event": "delivered", "sg_event_id": "e3"},
    ]
    with Session(app.engine) as session, session.begin():
        for body in (json.dumps(news).encode(), json.dumps(news[1:2]).encode()):
            session.execute(insert(intake), {"kind": "sendgrid", "received_at": NIGHT, "body": body})
    later = NIGHT + timedelta(hours=1)
    for night in range(5):
        with Session(app.engine) as session, session.begin():
            engage_leads(session, app.playbook, later + timedelta(days=night), EVERYONE)
        # SQLite's file keeps what was written over until it is written anew: rows are what is looked at.
        assert TOKEN not in rows_of(app)
    with Session(app.engine) as session:
        kept = select(intake.c.body, intake.c.processed_at).where(intake.c.kind == "sendgrid").order_by(intake.c.id)
        (first, _at), (second, _) = session.execute(kept).all()
    assert [entry["event"] for entry in json.loads(first)] == ["bounce", "delivered"]
    assert json.loads(second) == []


def test_the_file_of_sqlite_holds_no_deleted_bytes(sqlite_url: str, tmp_path: Path) -> None:
    from leadflow.db import make_engine

    engine = make_engine(sqlite_url)
    app = an_app(engine, workspace=tmp_path)
    with Session(engine) as session, session.begin():
        plant(session, GOES, TOKEN, ADA)

    erase(app, [GOES], NIGHT)
    kept = [path.read_bytes() for path in Path(sqlite_url.removeprefix("sqlite:///")).parent.glob("*")]
    engine.dispose()
    assert [TOKEN.encode() in content for content in kept if content] == [False for content in kept if content]


def test_every_table_is_known_to_be_about_people_or_not() -> None:
    reached = {table.name for table in personal_tables()} | {"account", "intake", "suppression"}
    # An event is known elsewhere by a key that goes with it.
    assert {table.name for table in metadata.sorted_tables} == reached | IMPERSONAL

"""A workspace whose outbox is full: one email of 24 KB with 24 links, and a message of it for each of many people."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, text, update

from leadflow.db import make_engine
from leadflow.migrations import upgrade
from leadflow.models import breaker, consent, identity, lead, lead_state, message, suppression
from leadflow.playbook.load import load_playbook
from leadflow.types import micros

NOW = datetime(2026, 3, 23, 9, 0, tzinfo=UTC)
EMAIL = "large"
_SITE = "https://atelier-nord.example"
_SENTENCE = "A page that opens in a second sells more than one that opens in four, and the till shows it first. "
_HEAD = """title: A long letter
purpose: nurture
pick: named
for: {languages: [en]}
subject: {en: "{{ lead.first_name }}, what we learned this quarter"}
preheader: {en: "Two dozen short reads"}
defaults: {lead.first_name: {en: "Reader"}, company.name: {en: "your company"}, lead.country: {en: "your country"}}
"""
#: Of the outbox, as it stood.
_PLANNED = {"state": "planned", "attempts": 0, "owner": None, "attempt_id": None, "sent_at": None, "provider_id": None}


def make_workspace(workspace: Path) -> str:
    """The example's playbook with the large email in it, and the version of that email."""
    for name in ("config", "segments", "lists", "templates", "pages"):
        shutil.copytree(name, workspace / name)
    folder = workspace / "templates" / "emails" / EMAIL
    folder.mkdir()
    (folder / "email.yaml").write_text(_HEAD, encoding="utf-8")
    (folder / "body.en.md").write_text("\n\n".join(_part(number) for number in range(24)), encoding="utf-8")
    return load_playbook(workspace).emails[EMAIL].version


def _part(number: int) -> str:
    whom = "{{ lead.first_name }}, at {{ company.name }} and in {{ lead.country }}: " if number % 4 == 0 else ""
    return f"## {number + 1}. What we learned\n\n{whom}{_SENTENCE * 2}[Read part {number}]({_SITE}/read/{number})"


def fill(url: str, mails: int, version: str) -> None:
    """People who may be mailed, and a message due for each, in the empty database at `url`."""
    engine = make_engine(url)
    upgrade(engine)
    at, ids = micros(NOW), range(1, mails + 1)
    person = {"language": "en", "country": "FR", "basis": "consent", "attributes": {}, "folded": {}, "provenance": {}}
    dates = {"first_seen_at": at, "created_at": at, "updated_at": at}
    words: dict[str, Any] = {"email": EMAIL, "language": "en", "purpose": "nurture", "basis": "consent", "chosen": {}}
    words |= {"version": version, "playbook": "0" * 64, "planned_at": at, "send_at": at}
    expires = micros(NOW + timedelta(days=5))
    with engine.begin() as connection:
        _fill(
            connection,
            lead,
            ({"id": i, "seed": i, "first_name": f"Zoé {i}", "address_id": i, **person, **dates} for i in ids),
        )
        who = ({"id": i, "kind": "email", "value": f"p{i}@reader.example", "hash": f"h{i}", "lead_id": i} for i in ids)
        _fill(connection, identity, who)
        said = {"purpose": "nurture", "state": "given", "at": at, "method": "import"}
        _fill(connection, consent, ({"lead_id": i, "identity_id": i, **said} for i in ids))
        # As many again have left: what is asked of each mail must not read all of them.
        left = ({"address_hash": f"gone{i}", "reason": "unsubscribed", "at": at, "source": "link"} for i in ids)
        _fill(connection, suppression, left)
        stood = {"stage": "discovery", "stage_since": at, "lifecycle_since": at}
        _fill(connection, lead_state, ({"lead_id": i, **stood} for i in ids))
        _fill(
            connection, message, ({"id": i, "lead_id": i, "address_id": i, **words, "expires_at": expires} for i in ids)
        )
    engine.dispose()


def _fill(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    found = iter(rows)
    while some := list(islice(found, 5000)):
        connection.execute(insert(table), some)


def fill_again(url: str) -> None:
    """Every message planned as it was, and what the night before left vacuumed away, as it is by day."""
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(update(message).values(**_PLANNED, intent_at=None))
        connection.execute(delete(breaker))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM (ANALYZE) {message.name}"))
    engine.dispose()

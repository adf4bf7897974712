"""A workspace for runs on several workers: many people whom the first night mails at once, at any hour."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, insert, update
from sqlalchemy.orm import Session

from leadflow.app import App, sweep
from leadflow.models import identity, lead, lead_score, lead_state, message
from leadflow.playbook.example import copy_example
from tests.build import NIGHT

_EDITS = {
    "config/leadflow.yaml": {
        r"days: \[mon, tue, wed, thu, fri\]\n  from: \"09:00\"\n  to: \"17:00\"": (
            'days: [mon, tue, wed, thu, fri, sat, sun]\n  from: "00:00"\n  to: "23:59"'
        ),
        r"holidays: lead_country": "holidays: none",
        r"spread: 3 hours .*": "spread: 1 minutes",
        r"max_share_per_hour: 20 %": "max_share_per_hour: 100 %",
        r"sends_over: 500, times_usual: 3": "sends_over: 100000, times_usual: 1000",
    },
    "config/sequences/discovery.yaml": {r"existing: \{enter: 100 per day\}": "existing: {enter: all}"},
}


def make_busy(folder: Path, schedule: str, settings: str) -> None:
    """The example, with a window that never shuts, no ramp, `schedule` at the end of its schedule.yaml, and `.env`."""
    copy_example(folder)
    for name, edits in _EDITS.items():
        path = folder / name
        text = path.read_text()
        for old, new in edits.items():
            text, found = re.subn(old, new, text)
            assert found, f"{name} has no {old}"
        path.write_text(text)
    path = folder / "config" / "schedule.yaml"
    path.write_text(path.read_text().replace("scheduler: embedded", "scheduler: prefect") + schedule)
    (folder / ".env").write_text(settings)


def plan_mails(app: App, people: int) -> None:
    """So many people with a mail each, due a minute ago."""
    now = datetime.now(UTC)
    add_people(app.engine, people)
    sweep(app, now - timedelta(hours=2))
    with Session(app.engine) as session, session.begin():
        session.execute(update(message).values(send_at=now - timedelta(minutes=1)))


def add_people(engine: Engine, n: int) -> None:
    """So many people in discovery."""
    plain = {"first_seen_at": NIGHT, "created_at": NIGHT, "updated_at": NIGHT, "provenance": {}, "folded": {}}
    who = {"basis": "consent", "language": "fr", "country": "FR", "first_name": "Claire", "attributes": {}}
    ids = range(1, n + 1)
    with Session(engine) as session, session.begin():
        session.execute(insert(lead), [plain | who | {"id": i, "address_id": i, "seed": i} for i in ids])
        named = [{"value": f"p{i}@x.example", "hash": f"h{i}"} for i in ids]
        rows = [{"id": i, "lead_id": i, "kind": "email"} | one for i, one in zip(ids, named, strict=True)]
        session.execute(insert(identity), rows)
        session.execute(insert(lead_score), [{"lead_id": i} for i in ids])
        standing = {"stage_since": NIGHT, "lifecycle_since": NIGHT}
        session.execute(insert(lead_state), [{"lead_id": i} | standing for i in ids])

"""Nights that are killed half-way, as processes: the next one finishes what they left, and nobody is mailed twice."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from leadflow.app import App, Slot, acts, open_app, reconcile_due, run_slot
from leadflow.models import job_run, lock, message
from leadflow.types import MINUTE
from tests.flows.busy import add_people, make_busy

pytestmark = pytest.mark.slow
PEOPLE = 500
#: A run holds three claims of a hundred, two of them with intents.
IN_HAND = 300
TEN = datetime(2026, 3, 23, 10, tzinfo=ZoneInfo("Europe/Paris"))

_DIES = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from leadflow.app import Slot, acts, open_app, phases, run_slot

workspace, at, when, slot = sys.argv[1:]
app, now = open_app(Path(workspace)), datetime.fromisoformat(at)
acts._now = lambda: now
mails = []

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

async def send(mail, plain=app.ports.email.send):
    mails.append(mail)
    if len(mails) == 150:
        die()
    return await plain(mail)

if when == "planned":
    phases.tell_waiting = die
app.ports.email.send = send
run_slot(app, Slot(at=now, job="nightly", name=slot))
"""


@pytest.fixture
def empty_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'dying.db'}"
        return
    server = request.getfixturevalue("postgres")
    server.create("dying")
    yield server.url("dying")
    server.drop("dying")


@pytest.fixture
def app(empty_url: str, tmp_path: Path) -> Iterator[App]:
    """A workspace whose first night mails everybody."""
    settings = f"LEADFLOW_DATABASE_URL={empty_url}\nLEADFLOW_ESP=file\nLEADFLOW_SIMULATED=true\n"
    make_busy(tmp_path / "workspace", "", settings)
    app = open_app(tmp_path / "workspace")
    add_people(app.engine, PEOPLE)
    yield app
    app.engine.dispose()


def dies(app: App, now: datetime, when: str, slot: str) -> None:
    """A night in a process that is killed once it has planned, or in the middle of its mails."""
    command = [sys.executable, "-c", _DIES, str(app.settings.workspace), now.isoformat(), when, slot]
    done = subprocess.run(command, check=False, timeout=100, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def outlive(app: App) -> None:
    """A quarter of an hour passes on the database's clock: leases lapse, graces end."""
    before = func.coalesce(message.c.intent_at, 0) - 20 * MINUTE
    with Session(app.engine) as session, session.begin():
        session.execute(update(job_run).values(lease_until=1))
        session.execute(update(lock).values(lease_until=1))
        session.execute(update(message).where(message.c.state == "claimed").values(lease_until=1))
        session.execute(update(message).where(message.c.state == "sending").values(intent_at=before))


def states(app: App) -> Counter[str]:
    with Session(app.engine) as session:
        told = session.execute(select(message.c.state, func.count()).group_by(message.c.state))
        return Counter(dict(told.tuples().all()))


def mailed(app: App) -> Counter[str]:
    """How often each person was written to, by the files of their mails."""
    files = app.settings.outbox.rglob("*.eml")
    heads = (path.read_bytes().partition(b"\r\nTo: ")[2].partition(b"\r\n")[0] for path in files)
    return Counter(head.decode() for head in heads)


def test_a_night_that_dies_is_finished_by_the_next_and_nobody_is_mailed_twice(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies(app, TEN, "planned", "2026-03-23")
    assert (states(app), mailed(app)) == (Counter(planned=PEOPLE), Counter())
    outlive(app)
    dies(app, TEN + timedelta(hours=2), "mailing", "2026-03-23")
    cut = states(app)
    assert cut["planned"] >= PEOPLE - 150 - IN_HAND
    assert sum(cut.values()) == PEOPLE
    outlive(app)
    later = TEN + timedelta(hours=3)
    monkeypatch.setattr(acts, "_now", lambda: later)
    run_slot(app, Slot(at=later, job="nightly", name="2026-03-23"))
    reconcile_due(app, later)
    with Session(app.engine) as session:
        night = session.execute(select(job_run.c.state, job_run.c.attempt).where(job_run.c.job == "nightly")).one()
    assert tuple(night) == ("done", 3)
    after, written = states(app), mailed(app)
    assert set(after) <= {"accepted", "unknown"}, "every mail has ended"
    assert 0 < after["unknown"] <= IN_HAND, "what was cut off while it was sent may have left"
    assert max(written.values()) == 1
    assert after["accepted"] <= len(written) <= PEOPLE

"""Five thousand people with a year of past acts come in, and three sequences go live the same night."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from leadflow.app import held_nights
from leadflow.eligibility import tonight
from leadflow.intake.events import BATCH, NewEvent, record_events
from leadflow.intake.people import upsert_people
from leadflow.intake.person import PersonReader
from leadflow.models import enrolment, escalation, event, lead_score, message
from leadflow.playbook.model import Playbook
from leadflow.testing import World, open_world
from leadflow.testing.world import MAILABLE
from leadflow.types import Reason
from tests.accidents.conftest import BEGIN
from tests.soak import SOAK

MANY = 5_000
# `make soak` takes as many on PostgreSQL.
pytestmark = pytest.mark.soak
_INDUSTRIES = ("retail", "manufacturing", "professional_services", "other")
_ACTS = (
    ("page_viewed", "/tarifs"),
    ("page_viewed", "/realisations/vannes"),
    ("quote_requested", None),
    ("webinar_attended", None),
    ("content_downloaded", None),
    ("email_clicked", None),
)


@pytest.fixture
def storm(engine: Engine, shipped: Playbook) -> World:
    """A workspace whose sequences were never live, on the evening of the import."""
    many = MANY if engine.dialect.name == "sqlite" or SOAK else MANY // 5
    world = open_world(engine, shipped, BEGIN)
    reader = PersonReader(fields=shipped.fields, zone=world.office)
    for first in range(0, many, BATCH):
        people = [reader.read(_said(n), {}) for n in range(first, min(first + BATCH, many))]
        with Session(engine) as session, session.begin():
            done = upsert_people(session, shipped, people, key="k", now=BEGIN, source="import")
            record_events(session, list(_acts([one.lead_id for one in done], BEGIN)), received_at=BEGIN)
    return world


def _said(n: int) -> dict[str, str]:
    whole = {"email": f"p{n}@c{n}.example", "language": "en" if n % 9 == 0 else "fr", "country": "FR", **MAILABLE}
    whole |= {"industry": _INDUSTRIES[n % 4], "employees": str(10 + n % 200), "role": "decides"}
    return whole | ({"project": "redesign"} if n % 5 == 0 else {})


def _acts(lead_ids: list[int], now: datetime) -> Iterator[NewEvent]:
    """Two acts a person over the last year, some of them of the last week; all are told tonight."""
    for lead_id in lead_ids:
        for k in range(2):
            kind, path = _ACTS[(lead_id + k) % len(_ACTS)]
            ago = timedelta(days=2 + (lead_id * 7 + k * 181) % 363)
            key = f"{lead_id}-{k}"
            yield NewEvent(source="crm", external_id=key, kind=kind, occurred_at=now - ago, lead_id=lead_id, path=path)


def _day_by_day(world: World, column: object, *conditions: object) -> list[int]:
    """How many a day of the office, the earliest first."""
    with Session(world.app.engine) as session:
        instants = session.scalars(select(column).where(*conditions))  # type: ignore[call-overload]
        days = [at.astimezone(world.office).date() for at in instants]
    return [days.count(day) for day in sorted(set(days))]


def test_an_import_of_thousands_and_three_sequences_send_the_declared_ramp_and_alert_nobody(storm: World) -> None:
    ramps = {s.name: s.existing_per_day or 0 for s in storm.app.playbook.sequences}
    assert ramps == {"discovery": 100, "evaluation": 50, "decision": 0, "handed-over": 0}
    storm.delivers_every = timedelta(hours=6)
    storm.live_until(BEGIN + timedelta(hours=10))
    assert storm.swept is not None
    with Session(storm.app.engine) as session:
        night = tonight(session, storm.app.playbook, storm.swept)
    assert night.mailed == sum(ramps.values())
    assert night.skipped[Reason.RAMP] > night.people * 0.6
    storm.live_until(BEGIN + timedelta(days=1))
    # A second sweep on the same day lets nobody else in: the ramp counts by day.
    storm.sweep()
    storm.live_until(BEGIN + timedelta(days=2))
    for name, ramp in ramps.items():
        entered = _day_by_day(storm, enrolment.c.entered_at, enrolment.c.sequence == name)
        assert entered == ([ramp, ramp] if ramp else [])
    left = _day_by_day(storm, message.c.sent_at, message.c.state == "accepted")
    assert all(n <= sum(ramps.values()) for n in left)
    assert sum(left) > sum(ramps.values())
    with Session(storm.app.engine) as session:
        assert session.scalar(select(func.count()).select_from(escalation)) == 0
        # It is not for want of reasons: the acts were scored, and hands were raised among them.
        assert (session.scalar(select(func.count()).where(lead_score.c.engagement >= 3_500)) or 0) > 10
        assert (session.scalar(select(func.count()).where(event.c.kind == "quote_requested")) or 0) > 100
    assert storm.sales.alerts == []
    assert held_nights(storm.app) == []
    last = storm.outcomes[-2]
    assert last.phase == "nurture"
    assert last.changed <= sum(ramps.values())

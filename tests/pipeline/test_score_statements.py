"""Score, stage and segment say the same number of statements for few leads and many, one scope or the other."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.models import event as event_table
from leadflow.models import event_inbox, lead, lead_score, lead_state, metadata
from leadflow.pipeline.score import score_leads
from leadflow.pipeline.segment import segment_leads
from leadflow.pipeline.stage import stage_leads
from leadflow.playbook.load import load_playbook
from leadflow.types import EVERYONE, Leads, Scope, micros
from tests.build import NIGHT
from tests.counting import counting

BOOK = load_playbook(Path(__file__).parents[2])
KINDS = (("page_viewed", "/tarifs"), ("quote_requested", None), ("webinar_attended", None), ("page_viewed", "/"))


def populate(session: Session, leads: int) -> None:
    """Leads with ten acts each, in bulk."""
    born, ids = NIGHT - timedelta(days=90), range(1, leads + 1)
    dates = {"first_seen_at": born, "created_at": born, "updated_at": born}
    given = {"attributes": {"industry": "retail", "employees": 40}, "folded": {}, "provenance": {}}
    session.execute(insert(lead), [{"id": i, "seed": i, "country": "FR"} | given | dates for i in ids])
    session.execute(insert(lead_score), [{"lead_id": i} for i in ids])
    session.execute(insert(lead_state), [{"lead_id": i, "stage_since": born, "lifecycle_since": born} for i in ids])
    acts = []
    for n in range(leads * 10):
        at = micros(NIGHT) - 1 - (n % 10) * 86_400_000_000
        kind, path = KINDS[n % 4]
        seen = {"month": 202603, "lead_id": 1 + n % leads, "occurred_at": at, "received_at": at}
        acts.append({"id": n + 1, "kind": kind, "path": path, "properties": {}} | seen)
    session.execute(insert(event_table), acts)
    waiting = ("month", "lead_id", "occurred_at", "received_at")
    session.execute(insert(event_inbox), [{"event_id": a["id"]} | {name: a[name] for name in waiting} for a in acts])


def count(engine: Engine, scope: Scope, *, leads: int) -> tuple[int, int]:
    """Statements of a first sweep and of one the hour after, on `leads` people."""
    with Session(engine) as session:
        populate(session, leads)
        found = []
        for hours in (0, 1):
            with counting(engine) as said:
                for phase in (score_leads, stage_leads, segment_leads):
                    phase(session, BOOK, NIGHT + timedelta(hours=hours), scope)
            found.append(len(said))
        session.rollback()
    return found[0], found[1]


def test_the_number_of_leads_and_the_scope_change_no_statement_count(engine: Engine) -> None:
    everyone = count(engine, EVERYONE, leads=10)
    assert everyone == count(engine, EVERYONE, leads=2000)
    assert everyone == count(engine, Leads((1, 2, 3)), leads=10)
    assert everyone == count(engine, Leads(tuple(range(1, 501))), leads=600)


def test_the_three_phases_twice_at_one_instant_leave_every_table_as_it_was(engine: Engine) -> None:
    with Session(engine) as session:
        populate(session, 200)
        for _ in range(2):
            outcomes = [p(session, BOOK, NIGHT, EVERYONE) for p in (score_leads, stage_leads, segment_leads)]
            rows = {t.name: sorted(map(repr, session.execute(select(t)))) for t in metadata.sorted_tables}
        assert [outcome.changed for outcome in outcomes] == [0, 0, 0]
        for phase in (score_leads, stage_leads, segment_leads):
            phase(session, BOOK, NIGHT, EVERYONE)
        assert rows == {t.name: sorted(map(repr, session.execute(select(t)))) for t in metadata.sorted_tables}
        session.rollback()

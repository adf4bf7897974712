"""Fit, engagement, bands and segments are functions of history: how and when it was told changes no bit of them."""

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.models import engagement, intake, lead_score, lead_state, membership
from leadflow.pipeline.capture import capture_intake
from leadflow.pipeline.score import score_leads
from leadflow.pipeline.segment import segment_leads
from leadflow.playbook.load import load_playbook
from leadflow.types import EVERYONE
from tests.build import NIGHT, add_lead
from tests.emptied import empty

SHIPPED = load_playbook(Path(__file__).parents[1])
#: Paths that a fit veto, a segment and several rules of the shipped playbook ask about.
PATHS = ("/tarifs", "/e-commerce/refonte", "/recrutement/dev", "/realisations/vannes", "/blog")
PEOPLE = range(1, 4)

acts = st.builds(
    lambda who, kind, path, minutes: {
        "event": kind,
        "email": f"p{who}@x.example",
        "path": path,
        "at": (NIGHT - timedelta(minutes=minutes)).isoformat(),
    },
    st.sampled_from(PEOPLE),
    st.sampled_from(["page_viewed"] * 4 + ["content_downloaded", "webinar_attended", "quote_requested"]),
    st.sampled_from(PATHS),
    st.integers(1, 90_000),
)
histories = st.lists(acts, min_size=1, max_size=25)
Told = tuple[datetime, dict[str, Any]]


def functions_of(engine: Engine, told: Sequence[Told], nights: Sequence[datetime]) -> list[Any]:
    """What is stored of three people after sweeps at `nights`, the history being `told` (when, what) as it came in."""
    empty(engine)
    with Session(engine) as session:
        for who in PEOPLE:
            add_lead(session, who, attributes={"industry": "retail", "employees": 40 * who}, country="FR")
        rows = [{"kind": "event", "received_at": at, "body": json.dumps(act).encode()} for at, act in told]
        session.execute(insert(intake), rows)
        for now in nights:
            capture_intake(session, SHIPPED, now, EVERYONE, key="k")
            score_leads(session, SHIPPED, now, EVERYONE)
            segment_leads(session, SHIPPED, now, EVERYONE)
        still = select(membership.c.segment, membership.c.lead_id).where(membership.c.left_at.is_(None))
        main = select(lead_state.c.lead_id, lead_state.c.segment_main)
        queries = (select(lead_score), select(engagement), still, main)
        found = [sorted(map(tuple, session.execute(query)), key=repr) for query in queries]
        session.rollback()
    return found


@settings(max_examples=12)
@given(histories, st.randoms(use_true_random=False))
def test_shuffled_repeated_and_delayed_acts_change_no_function(
    engine: Engine, history: list[dict[str, Any]], dice: random.Random
) -> None:
    numbered = [act | {"id": str(number)} for number, act in enumerate(history)]
    at_once = functions_of(engine, [(NIGHT - timedelta(seconds=9), act) for act in numbered], [NIGHT])
    late = [(_later(act, dice), act) for act in [*numbered, *dice.sample(numbered, len(numbered) // 2)]]
    dice.shuffle(late)
    before = [NIGHT - timedelta(days=days) for days in (40, 11, 2)]
    assert at_once == functions_of(engine, late, [*before, NIGHT])


def _later(act: dict[str, Any], dice: random.Random) -> datetime:
    """Some instant between the act and the night."""
    happened = datetime.fromisoformat(act["at"])
    return happened + (NIGHT - happened) * dice.random() * 0.999

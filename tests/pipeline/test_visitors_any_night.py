"""Whose a visitor is does not depend on when the nights fall: random acts of three people, at once or bit by bit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.links import sign_arrival
from leadflow.models import event, identity, intake, lead
from leadflow.pipeline.capture import capture_intake
from leadflow.types import EVERYONE
from tests.build import NIGHT, playbook
from tests.emptied import empty
from tests.soak import SOAK

BOOK = playbook()
PEOPLE = ("ana@b.example", "bob@b.example", "cid@b.example")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Somebody at a browser: looks at a page, comes by a mail that went to one of them, or says who they are."""

    kind: str
    visitor: str
    person: int
    source: str
    #: Whether capture runs right after it.
    night: bool


ACTS = st.lists(
    st.builds(
        Act,
        kind=st.sampled_from(["looks", "clicks", "tells"]),
        visitor=st.sampled_from(["phone-of-a", "desk-of-b", "anybody1"]),
        person=st.integers(0, 2),
        source=st.sampled_from(["", "news", "ads"]),
        night=st.booleans(),
    ),
    min_size=1,
    max_size=9,
)


def told(place: int, act: Act, ids: Mapping[str, int]) -> dict[str, Any]:
    """`act` as it is stored; `ids` are those of the addresses."""
    at = NIGHT + place * MINUTE
    body: dict[str, Any] = {"visitor": act.visitor, "path": f"/{place}", "id": str(place), "at": at.isoformat()}
    body |= {"source_of": {"utm_source": act.source}} if act.source else {}
    if act.kind == "tells":
        return {**body, "event": "form_submitted", "email": PEOPLE[act.person]}
    click = {"click": sign_arrival("secret", ids[PEOPLE[act.person]], at)} if act.kind == "clicks" else {}
    return {**body, "event": "page_viewed", **click}


def lived(
    engine: Engine, acts: Sequence[Act], *, nights: bool
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Address of the owner of each visitor and of each act, and each person's sources, once all is taken in."""
    empty(engine)
    with Session(engine) as session, session.begin():
        take_in(session, -1, *({"email": email} for email in PEOPLE), kind="lead")
        capture_intake(session, BOOK, NIGHT - MINUTE / 2, EVERYONE, key="secret")
        ids = {row.value: row.id for row in session.execute(select(identity.c.value, identity.c.id))}
        for place, act in enumerate(acts):
            take_in(session, place, told(place, act, ids))
            if nights and act.night:
                capture_intake(session, BOOK, NIGHT + (place + 0.5) * MINUTE, EVERYONE, key="secret")
        capture_intake(session, BOOK, NIGHT + timedelta(days=1), EVERYONE, key="secret")
        addresses = select(identity.c.lead_id, identity.c.value).where(identity.c.kind == "email")
        names = {row.lead_id: row.value for row in session.execute(addresses)}
        assert sorted(names.values()) == sorted(PEOPLE)
        visitors = session.execute(select(identity.c.value, identity.c.lead_id).where(identity.c.kind == "visitor"))
        events = session.execute(select(event.c.path, event.c.lead_id))
        sources = session.execute(select(lead.c.id, lead.c.attributes))
        return (
            {value: names.get(lead_id) for value, lead_id in visitors},
            {path: names.get(lead_id) for path, lead_id in events},
            {names[lead_id]: attributes for lead_id, attributes in sources},
        )


def take_in(session: Session, place: int, *bodies: dict[str, Any], kind: str = "event") -> None:
    at = NIGHT + place * MINUTE
    rows = [{"kind": kind, "received_at": at, "body": json.dumps(body).encode()} for body in bodies]
    session.execute(insert(intake), rows)


@settings(max_examples=400 if SOAK else 10)
@given(acts=ACTS)
def test_whose_a_visitor_is_does_not_depend_on_when_the_nights_fall(engine: Engine, acts: Sequence[Act]) -> None:
    visitors, events, sources = lived(engine, acts, nights=True)
    assert (visitors, events, sources) == lived(engine, acts, nights=False)
    for visitor, owner in visitors.items():
        said = [PEOPLE[act.person] for act in acts if act.visitor == visitor and act.kind == "tells"]
        clicked = [PEOPLE[act.person] for act in acts if act.visitor == visitor and act.kind == "clicks"]
        assert owner == next(iter([*said, *clicked]), None)

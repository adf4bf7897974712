"""Two records that are one person, made one by hand: nothing is lost, nothing comes twice, the stricter no wins."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, text, update
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.app.person import copy_of, erase, merge
from leadflow.errors import UsageError
from leadflow.intake.ledger import standing
from leadflow.models import (
    consent,
    declined,
    engagement,
    enrolment,
    escalation,
    event,
    identity,
    lead,
    lead_change,
    lead_state,
    message,
    metadata,
    preference,
    suppression,
)
from leadflow.pipeline.score import score_leads
from leadflow.types import DAY, EVERYONE, micros
from tests.apps import an_app
from tests.build import NIGHT, add_event, add_lead
from tests.pipeline.mails import add_message
from tests.pipeline.sales import open_handover
from tests.pipeline.test_score import HAND, PAGES, heat, stored
from tests.test_erasure import TOKEN, everything, plant

KEEP, OTHER = 7, 8
DAYS = timedelta(days=1)


@pytest.fixture
def app(engine: Engine, tmp_path: Path) -> App:
    return an_app(engine, workspace=tmp_path, book=heat(HAND, PAGES))


@pytest.fixture
def two(session: Session) -> Session:
    """Ada, twice in the database."""
    add_lead(session, KEEP, basis="consent", first_name="Ada")
    add_lead(session, OTHER, basis="consent", first_name="A.", last_name="Byron", attributes={"employees": 12})
    session.commit()
    return session


def merged(app: App, session: Session) -> None:
    session.commit()
    merge(app, KEEP, OTHER, NIGHT)
    session.expire_all()


def agree(session: Session, lead_id: int, state: str, *, ago: int) -> None:
    line = {"lead_id": lead_id, "identity_id": lead_id, "purpose": "nurture", "state": state, "method": "form"}
    session.execute(insert(consent), line | {"at": NIGHT - ago * DAYS})


def test_what_one_record_knew_fills_in_the_other_and_has_a_history(app: App, two: Session) -> None:
    merged(app, two)
    row = two.execute(select(lead)).one()
    assert (row.id, row.first_name, row.last_name, row.attributes) == (KEEP, "Ada", "Byron", {"employees": 12})
    told = two.execute(select(lead_change.c.field, lead_change.c.source)).tuples().all()
    assert sorted(told) == [("employees", "merge"), ("last_name", "merge")]
    assert two.execute(select(identity.c.id, identity.c.lead_id)).tuples().all() == [(KEEP, KEEP), (OTHER, KEEP)]


def test_their_score_is_that_of_one_person_who_did_it_all(app: App, two: Session) -> None:
    alone = add_lead(two, 9)
    for number, (whose, kind) in enumerate([(KEEP, "quote_requested"), (OTHER, "page_viewed"), (OTHER, "page_viewed")]):
        at = NIGHT - (number + 1) * DAYS
        add_event(two, 2 * number + 1, whose, kind, occurred_at=at, identity_id=whose)
        add_event(two, 2 * number + 2, alone, kind, occurred_at=at)
    # Half of them folded before, half after; and one more comes in by the address that was the other's.
    score_leads(two, app.playbook, NIGHT - DAYS, EVERYONE)
    merged(app, two)
    for number, whose in enumerate((KEEP, 9), start=90):
        add_event(two, number, whose, "page_viewed", occurred_at=NIGHT)
    score_leads(two, app.playbook, NIGHT + DAYS, EVERYONE)
    assert stored(two, KEEP).engagement == stored(two, 9).engagement > 0
    assert set(two.scalars(select(engagement.c.lead_id))) == {KEEP, 9}
    assert OTHER in two.scalars(select(event.c.identity_id)).all()


@pytest.mark.parametrize(("first", "second"), [("given", "withdrawn"), ("withdrawn", "given")])
@pytest.mark.parametrize("whose", [KEEP, OTHER])
def test_whoever_withdrew_as_one_of_the_two_has_withdrawn(
    app: App, two: Session, whose: int, first: str, second: str
) -> None:
    other = KEEP + OTHER - whose
    agree(two, whose, first, ago=9)
    agree(two, other, second, ago=3)
    merged(app, two)
    assert standing(two, KEEP) == {"nurture": "withdrawn"}
    assert two.scalar(select(func.count()).select_from(consent)) == (3 if second == "given" else 2)


@pytest.mark.parametrize(
    ("reason", "reached"), [("unsubscribed", 2), ("complained", 2), ("objected", 2), ("bounced", 1)]
)
def test_a_no_at_one_address_is_a_no_at_both_and_a_bounce_is_that_mailboxs(
    app: App, two: Session, reason: str, reached: int
) -> None:
    row = {"address_hash": "h8", "reason": reason, "at": NIGHT, "source": "link"}
    two.execute(insert(suppression), row)
    merged(app, two)
    assert two.scalars(select(suppression.c.reason)).all() == [reason] * reached


def test_the_longest_pause_and_the_fewest_mails_hold_for_the_address_that_is_mailed(app: App, two: Session) -> None:
    rows = [{"identity_id": KEEP, "gap": 7 * DAY, "paused_until": None, "updated_at": NIGHT}]
    rows += [{"identity_id": OTHER, "gap": None, "paused_until": NIGHT + 5 * DAYS, "updated_at": NIGHT}]
    two.execute(insert(preference), rows)
    two.execute(insert(declined), {"identity_id": OTHER, "topic": "seo", "at": NIGHT})
    merged(app, two)
    mine = select(preference.c.gap, preference.c.paused_until).where(preference.c.identity_id == KEEP)
    assert two.execute(mine).one() == (7 * DAY, NIGHT + 5 * DAYS)
    assert sorted(two.scalars(select(declined.c.identity_id))) == [KEEP, OTHER]


def test_no_mail_planned_for_the_other_leaves_and_each_sequence_goes_on_once(app: App, two: Session) -> None:
    add_message(two, 1, KEEP)
    add_message(two, 2, OTHER)
    add_message(two, 3, OTHER, state="accepted", step="far", enrolment={"sequence": "news", "track": "letters"})
    merged(app, two)
    mails = select(message.c.id, message.c.lead_id, message.c.state, message.c.reason).order_by(message.c.id)
    assert two.execute(mails).tuples().all() == [
        (1, KEEP, "planned", None),
        (2, KEEP, "suppressed", "exited"),
        (3, KEEP, "accepted", None),
    ]
    ways = select(enrolment.c.sequence, enrolment.c.entry, enrolment.c.state).order_by(enrolment.c.id)
    # Counted on from the entries of the one who stays.
    assert two.execute(ways).tuples().all() == [("s", 1, "active"), ("s", 3, "ended"), ("news", 3, "active")]


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [("lead", "customer", "customer"), ("disqualified", "prospect", "disqualified"), ("customer", "lead", "customer")],
)
def test_whoever_got_further_says_how_far_they_are(app: App, two: Session, mine: str, theirs: str, both: str) -> None:
    for one, word in ((KEEP, mine), (OTHER, theirs)):
        values: dict[str, Any] = {"lifecycle": word, "rest_until": micros(NIGHT + one * DAYS), "hot": one}
        two.execute(update(lead_state).where(lead_state.c.lead_id == one).values(values))
    merged(app, two)
    row = two.execute(select(lead_state)).one()
    assert (row.lifecycle, row.rest_until, row.hot) == (both, NIGHT + OTHER * DAYS, KEEP | OTHER)


def test_a_hand_over_goes_along_and_two_open_ones_are_for_sales_to_answer(app: App, session: Session) -> None:
    open_handover(session, KEEP)
    open_handover(session, OTHER, rep="Ines")
    session.commit()
    with pytest.raises(UsageError, match="answer one of the two hand-overs first"):
        merge(app, KEEP, OTHER, NIGHT)
    session.execute(update(escalation).where(escalation.c.id == KEEP).values(state="lapsed", closed_at=NIGHT))
    merged(app, session)
    found = session.execute(select(escalation.c.id, escalation.c.lead_id, escalation.c.number)).tuples().all()
    assert sorted(found) == [(KEEP, KEEP, 1), (OTHER, KEEP, 2)]
    assert session.scalars(select(lead_state.c.with_sales)).one() is True


def test_nothing_of_the_other_record_is_left_a_copy_is_whole_and_so_is_an_erasure(app: App, session: Session) -> None:
    plant(session, KEEP, "ada", "ada@x.example")
    plant(session, OTHER, TOKEN, f"{TOKEN}@x.example")
    plant(session, 9, "bystander", "bob@y.example")
    session.execute(update(lead_state).values(lifecycle="lead"))
    session.execute(update(lead).values(deal_state=None, audience="b2b", basis=None))
    if session.get_bind().dialect.name == "postgresql":
        # It does not see the ids that were given here.
        session.execute(text("SELECT setval(seqrelid, 1000) FROM pg_sequence"))
    folder = app.settings.var / "alerts"
    folder.mkdir(parents=True)
    (folder / "000008-ines.md").write_text(f"# {TOKEN}")
    session.commit()
    bystander = everything(app).count("bystander")
    merged(app, session)

    named = [table for table in metadata.sorted_tables if "lead_id" in table.c]
    assert [t.name for t in named if OTHER in session.scalars(select(t.c.lead_id)).all()] == []
    session.rollback()
    assert copy_of(app, KEEP, NIGHT)["files"] == ["var/alerts/000008-ines.md"]
    erase(app, [KEEP], NIGHT)
    assert TOKEN not in everything(app)
    assert everything(app).count("bystander") == bystander


def test_nobody_is_merged_with_nobody(app: App, two: Session) -> None:
    with pytest.raises(UsageError, match="two people are needed"):
        merge(app, KEEP, 99, NIGHT)
    assert two.scalar(select(func.count()).select_from(lead)) == 2

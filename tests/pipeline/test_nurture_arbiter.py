"""One mail an address, when caps and window allow it; the others wait with a reason, and not for ever."""

import random
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from leadflow.models import lead, message, verdict
from leadflow.playbook.model import Cap, Pressure, Reentry, Window
from leadflow.steps.email import EmailStep
from leadflow.types import DAY, HOUR, Purpose, Span, SpanKind, micros
from tests.build import NIGHT
from tests.pipeline.nurture_world import LEARN, WELCOME, World, book, days, email, sequence
from tests.soak import SOAK

PARIS = ZoneInfo("Europe/Paris")
_ids = count(1000)


def _sent(session: Session, at: datetime, lead_id: int = 1, **columns: object) -> None:
    """A mail that left at `at`, outside any sequence."""
    row = {
        "lead_id": lead_id,
        "address_id": lead_id,
        "email": f"other-{next(_ids)}",
        "language": "fr",
        "purpose": "nurture",
        "basis": "consent",
        "state": "accepted",
        "version": "1",
        "playbook": "1",
        "chosen": {},
        "planned_at": at,
        "send_at": at,
        "expires_at": at,
        "sent_at": at,
    }
    session.execute(insert(message), row | columns)


def _verdict(session: Session) -> tuple[str, datetime | None] | None:
    row = session.execute(select(verdict.c.reason, verdict.c.until)).one_or_none()
    return None if row is None else (row.reason, row.until)


def test_a_full_cap_holds_the_mail_until_it_is_free_again(session: Session) -> None:
    world = World(session, book())
    world.lead()
    _sent(session, NIGHT - timedelta(days=3))
    _sent(session, NIGHT - timedelta(days=5))
    world.sweep()
    assert world.emails()[2:] == []
    assert _verdict(session) == ("pressure", datetime(2026, 3, 25, 9, tzinfo=PARIS))
    world.night()
    assert world.emails()[2:] == [("welcome", "planned")]
    assert _verdict(session) is None
    assert world.decisions("skip") == [("discovery/welcome", "pressure")]


@pytest.mark.parametrize(("since", "expected"), [(timedelta(0), "09:00"), (timedelta(seconds=1), "09:00:01")])
def test_mails_exactly_a_span_apart_pass(session: Session, since: timedelta, expected: str) -> None:
    world = World(session, book())
    world.lead()
    _sent(session, datetime(2026, 3, 21, 9, tzinfo=PARIS) + since)
    world.sweep()
    at = session.execute(select(message.c.send_at).where(message.c.state == "planned")).scalar_one()
    assert at == datetime.fromisoformat(f"2026-03-23T{expected}").replace(tzinfo=PARIS)


def test_a_mail_with_an_unknown_outcome_counts_and_a_service_mail_does_not(session: Session) -> None:
    world = World(session, book())
    world.lead(1)
    world.lead(2)
    yesterday = NIGHT - timedelta(hours=6)
    _sent(session, yesterday, 1, state="unknown")
    _sent(session, yesterday, 2, purpose="service", counted=False)
    world.sweep()
    assert world.verdict(1) == "pressure"
    assert world.verdict(2) is None


def test_a_service_mail_is_neither_held_nor_counted(session: Session) -> None:
    service = email("receipt", purpose=Purpose.SERVICE)
    steps = [EmailStep(name="receipt", email="receipt")]
    world = World(session, book(sequence(steps=steps), emails=[service]))
    world.lead()
    _sent(session, NIGHT - timedelta(hours=6))
    world.sweep()
    sent = session.execute(select(message.c.send_at, message.c.counted).where(message.c.email == "receipt")).one()
    assert (sent.send_at, sent.counted) == (NIGHT, False)


def test_on_a_saturday_the_mail_waits_for_its_window_and_on_sunday_it_is_planned(session: Session) -> None:
    world = World(session, book(), datetime(2026, 3, 28, 4, 15, tzinfo=PARIS))
    world.lead()
    world.sweep()
    assert _verdict(session) == ("window", datetime(2026, 3, 30, 9, tzinfo=PARIS))
    world.night()
    assert world.emails() == [("welcome", "planned")]


def test_of_two_sequences_the_higher_priority_goes_first_and_the_other_waits_its_turn(session: Session) -> None:
    low = sequence("a-low", steps=[LEARN], track="one", priority=10)
    high = sequence("high", steps=[WELCOME], track="two", priority=20)
    world = World(session, book(low, high))
    world.lead()
    world.sweep()
    assert world.emails() == [("welcome", "planned")]
    assert world.verdict() == "outranked"
    world.night()
    assert world.emails() == [("welcome", "accepted"), ("guide", "planned")]
    at = session.execute(select(message.c.send_at).where(message.c.state == "planned")).scalar_one()
    assert at == datetime(2026, 3, 25, 9, tzinfo=PARIS)


def test_while_a_mail_is_in_flight_no_other_is_planned_for_the_address(session: Session) -> None:
    world = World(session, book())
    world.lead()
    _sent(session, NIGHT - timedelta(days=1), state="planned", sent_at=None, send_at=NIGHT + timedelta(days=1))
    world.sweep()
    assert world.verdict() == "outranked"
    assert len(world.emails()) == 1


def test_what_is_deferred_too_long_expires_and_the_sequence_goes_on(session: Session) -> None:
    pressure = Pressure(caps=(Cap(n=1, span=30 * DAY),), defer_at_most=days(5))
    world = World(session, book(pressure=pressure))
    world.lead()
    _sent(session, NIGHT - timedelta(days=1))
    world.sweep()
    for _ in range(6):
        world.night()
        assert world.enrolments() == [("discovery", "active", "welcome")]
    world.night()
    assert world.enrolments() == [("discovery", "active", "wait")]
    assert world.decisions("skip")[-1] == ("discovery/welcome", "expired")


def test_a_step_that_something_in_the_person_held_is_due_anew_when_it_has_gone(session: Session) -> None:
    world = World(session, book())
    world.lead(basis=None)
    world.sweep()
    world.night(20)
    assert world.verdict() == "no_basis"
    session.execute(update(lead).values(basis="consent"))
    world.night()
    assert world.emails() == [("welcome", "planned")]


@pytest.mark.parametrize(
    ("step", "mail", "expected"),
    [
        (None, None, "2026-03-30T00:00"),
        (None, days(2), "2026-03-25T00:00"),
        (Span(kind=SpanKind.ELAPSED, amount=7 * DAY), days(2), "2026-03-30T10:00"),
        (days(1), Span(kind=SpanKind.ELAPSED, amount=HOUR), "2026-03-24T00:00"),
    ],
)
def test_a_mail_expires_as_its_step_then_its_folder_then_the_default_say(
    session: Session, step: Span | None, mail: Span | None, expected: str
) -> None:
    steps = [EmailStep(name="welcome", email="welcome", expires=step)]
    world = World(session, book(sequence(steps=steps), emails=[email("welcome", pick="named", expires=mail)]))
    world.lead()
    world.sweep()
    expires = session.execute(select(message.c.expires_at)).scalar_one()
    assert expires.astimezone(PARIS).isoformat()[:16] == expected


def test_mails_of_one_night_leave_over_the_spread(session: Session) -> None:
    window = Window(days=(0, 1, 2, 3, 4), start=9 * 60, end=17 * 60, spread=3 * HOUR)
    world = World(session, book(window=window))
    for lead_id in range(1, 31):
        world.lead(lead_id)
    world.sweep()
    at = session.scalars(select(message.c.send_at)).all()
    opens = datetime(2026, 3, 23, 9, tzinfo=PARIS)
    assert all(opens <= moment < opens + timedelta(hours=3) for moment in at)
    assert len({moment.hour for moment in at}) == 3


@pytest.mark.slow
@pytest.mark.property
@pytest.mark.parametrize("seed", range(20 if SOAK else 1))
def test_no_cap_is_ever_broken_in_weeks_on_end(session: Session, seed: int) -> None:
    dice = random.Random(seed)
    caps = (
        Cap(n=1, span=dice.choice([24, 48, 60]) * HOUR),
        Cap(n=dice.randint(1, 4), span=7 * DAY),
        Cap(n=6, span=30 * DAY),
    )
    emails = [email(f"e{i}", again_after=DAY) for i in range(3)]
    steps = [EmailStep(name=f"s{i}", best_for="discovery") for i in range(2)]
    for_ever = Reentry(again=True)
    tracks = [sequence(f"t{i}", steps=steps, track=f"t{i}", priority=i, reentry=for_ever) for i in range(3)]
    pressure = Pressure(caps=caps, defer_at_most=days(5))
    world = World(session, book(*tracks, emails=emails, pressure=pressure))
    people = range(1, 25)
    for lead_id in people:
        world.lead(lead_id, zone=dice.choice(["", "Asia/Tokyo", "America/New_York"]))
    # The longest cap is of thirty days.
    for _ in range(70 if SOAK else 36):
        world.now += timedelta(hours=dice.choice([20, 24, 24, 31]))
        _deliver(world, dice)
        world.sweep()
    for lead_id in people:
        sent = sorted(micros(at) for at in session.scalars(_times(lead_id)))
        assert len(sent) > 5
        for cap in caps:
            apart = [later - earlier for earlier, later in zip(sent, sent[cap.n :], strict=False)]
            assert all(span >= cap.span for span in apart), (cap, lead_id)


def _times(lead_id: int):  # type: ignore[no-untyped-def]
    return select(message.c.sent_at).where(
        message.c.lead_id == lead_id, message.c.state != "failed", message.c.sent_at.is_not(None)
    )


def _deliver(world: World, dice: random.Random) -> None:
    """Mails leave when they are due or up to an hour late, now and then with an unknown outcome, or fail."""
    rows = select(message.c.id, message.c.send_at).where(message.c.state == "planned", message.c.send_at <= world.now)
    for row in world.session.execute(rows).all():
        at = min(row.send_at + timedelta(minutes=dice.randrange(60)), world.now - timedelta(seconds=1))
        state = dice.choice(["accepted", "accepted", "accepted", "unknown", "failed"])
        done = {"state": state, "sent_at": None if state == "failed" else max(at, row.send_at)}
        world.session.execute(update(message).where(message.c.id == row.id).values(done))

"""`leadflow outbox`, `reconcile` and `resend`, as they are typed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.app import open_app
from leadflow.ask.outbox import outbox
from leadflow.models import breaker, decision, hold, message, pause
from leadflow.types import DAY, HOUR, instant_of, micros
from tests.build import NIGHT
from tests.cli.conftest import Types
from tests.pipeline.doubts import add_doubt, book
from tests.pipeline.mails import add_message

AT = ("--at", NIGHT.isoformat())


@pytest.fixture
def mails(place: Path) -> Path:
    """Mail in every state."""
    with Session(open_app(place).engine) as session, session.begin():
        fill(session)
    return place


def fill(session: Session) -> None:
    """Twelve messages, each where it is for a reason of its own."""
    late, soon = NIGHT - timedelta(hours=2), NIGHT + timedelta(hours=1)
    welcome: dict[str, Any] = {"email": "welcome"}
    add_message(session, 1, send_at=late, **welcome)
    add_message(session, 2, send_at=soon, **welcome)
    add_message(session, 3, send_at=soon, attempts=1, **welcome)
    add_message(session, 4, planned_at=NIGHT - timedelta(days=1), **welcome)
    add_message(session, 5, purpose="newsletter", send_at=late, expires_at=NIGHT - timedelta(hours=1), **welcome)
    add_message(session, 6, state="claimed", owner="dead", lease_until=NIGHT, **welcome)
    add_message(session, 7, state="claimed", owner="alive", lease_until=instant_of(2**52), **welcome)
    add_doubt(session, 8, **welcome)
    add_doubt(session, 9, minutes=1, **welcome)
    add_doubt(session, 10, "unknown", reason="unknown_outcome", note="TimeoutError", **welcome)
    add_doubt(session, 11, "accepted", delivery="bounced", **welcome)
    add_message(session, 12, state="failed", reason="refused", note="SendGrid answered 400", **welcome)
    held = {"night": "2026-03-22", "rule": "sends_over", "what": "mails", "mails": 1, "handovers": 0}
    session.execute(insert(hold), held | {"at": NIGHT - timedelta(days=1)})


def test_every_message_is_counted_once_with_its_cause(session: Session) -> None:
    fill(session)
    session.execute(insert(breaker), {"provider": "sendgrid", "failures": 5, "opened_at": NIGHT, "note": "503"})
    session.commit()
    found = outbox(session, book(), NIGHT, provider="sendgrid")
    assert {(line.state.value, line.why): line.n for line in found.lines} == {
        ("planned", "due"): 1,
        ("planned", "later"): 1,
        ("planned", "again"): 1,
        ("planned", "held"): 1,
        ("planned", "late"): 1,
        ("claimed", "gone"): 1,
        ("claimed", "worker"): 1,
        ("sending", "overdue"): 1,
        ("sending", "way"): 1,
        ("unknown", "unknown_outcome"): 1,
        ("accepted", "bounced"): 1,
        ("failed", "refused"): 1,
    }
    assert found.oldest_due == NIGHT - timedelta(hours=2)
    assert found.outage is not None
    assert [(micros(hour.at) - micros(NIGHT)) // HOUR for hour in found.hours] == [-3, -1, 0]
    assert sum(hour.accepted for hour in found.hours) == 1


def test_mail_that_somebody_paused_is_said_to_be(session: Session) -> None:
    add_message(session, 1, purpose="newsletter")
    add_message(session, 2)
    session.execute(insert(pause), {"kind": "stream", "name": "newsletter", "since": NIGHT, "by": "ana"})
    session.commit()
    found = outbox(session, book(), NIGHT, provider="smtp")
    assert [(line.why, line.n) for line in found.lines] == [("due", 1), ("paused", 1)]


def test_ended_mail_of_long_ago_is_not_counted_and_open_mail_is(session: Session) -> None:
    old = instant_of(micros(NIGHT) - 31 * DAY)
    add_doubt(session, 1, "accepted", planned_at=old)
    add_doubt(session, 2, "unknown", reason="unknown_outcome", planned_at=old)
    session.commit()
    found = outbox(session, book(), NIGHT, provider="smtp")
    assert [(line.state.value, line.n) for line in found.lines] == [("unknown", 1)]


@pytest.mark.usefixtures("mails")
def test_the_screen_names_states_causes_streams_and_hours(types: Types) -> None:
    said = types("outbox", *AT)
    lines = [" ".join(line.split()) for line in said.output.splitlines()]
    assert said.exit_code == 0
    assert lines[0].startswith("OUTBOX as of Mon 2026-03-23 04:15 · file · playbook ")
    assert "state mails why first due newsletter nurture" in lines
    assert "planned 1 due: the next run sends them 2026-03-23 02:15 1" in lines
    assert "1 the brake holds the night: leadflow approve 2026-03-23 04:15 1" in lines
    assert "sending 1 nobody has answered: leadflow reconcile 2026-03-23 04:15 1" in lines
    assert "12 in all 1 11" in lines
    assert "the longest wait: due since 2026-03-23 02:15" in lines
    assert "@" not in said.output


def test_an_empty_outbox_says_so(types: Types) -> None:
    assert "no message has been planned yet" in types("outbox").output


@pytest.mark.usefixtures("mails")
def test_messages_of_a_state_are_listed_by_number_and_by_address_when_asked(types: Types) -> None:
    said = types("outbox", "--state", "unknown", *AT).output
    assert "L-0010" in said
    assert "nobody can say whether it left (TimeoutError)" in said
    assert "@" not in said
    assert "p10@x.example" in types("outbox", "--state", "unknown", "--show-addresses", *AT).output
    assert "… and more: --limit shows them" in types("outbox", "--state", "planned", "--limit", "2", *AT).output
    assert "no message is in that state" in types("outbox", "--state", "suppressed", *AT).output


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("outbox", "--state", "sent"), "sent is no state. One of: planned, claimed, sending, accepted"),
        (("resend",), "say which: --failed or --unknown"),
        (("resend", "--failed", "--unknown"), "say which: --failed or --unknown"),
        (("resend", "--failed", "--reason", "pressure"), "no reason for which mail fails. One of: refused"),
        (("resend", "--failed", "--email", "welcom"), "no email is called welcom. One of:"),
        (("resend", "--unknown"), "only where leadflow.yaml says  on_unknown: resend"),
    ],
)
def test_what_cannot_be_is_said(types: Types, typed: tuple[str, ...], said: str) -> None:
    answer = types(*typed)
    assert answer.exit_code == 2
    assert said in " ".join(answer.output.split("\n"))


@pytest.mark.usefixtures("mails")
def test_doubts_are_settled_and_said(types: Types) -> None:
    said = types("reconcile", *AT).output
    assert "2 mails nobody has answered for" in said
    assert "1  unknown, for good: no log can say (on_unknown: hold)" in said
    assert "1 mail waits: its answer may come for 15 minutes" in said
    assert "nothing to settle" not in said


def test_nothing_to_settle_is_said_too(types: Types) -> None:
    said = types("reconcile")
    assert (said.exit_code, "nothing to settle: every mail that left has been answered for" in said.output) == (0, True)


def test_failed_mail_is_shown_asked_about_and_planned_again(mails: Path, types: Types) -> None:
    refused = types("resend", "--failed", *AT, input="n\n")
    assert refused.exit_code == 1
    assert "1  welcome  refused by the provider         goes" in refused.output
    assert "send 1 mail again?" in refused.output
    said = types("resend", "--failed", "--reason", "refused", "--since", "2026-03-23", "--yes", "--by", "ana", *AT)
    assert "planned again by ana: 1 mail leaves with the next delivery" in said.output
    with Session(open_app(mails).engine) as session:
        after = session.execute(select(message).where(message.c.id == 12)).one()
        told = session.execute(select(decision).where(decision.c.kind == "resend")).one()
    assert (after.state, after.reason, after.note, after.attempts) == ("planned", None, None, 0)
    assert (told.reason, told.detail["by"], told.detail["message"]) == ("refused", "ana", 12)
    assert "nothing to send again" in types("resend", "--failed", *AT).output
    why = types("why", "L-0012", *AT).output
    assert "had failed (refused by the provider): planned again, as ana asked (23 March 04:15)" in why

"""Mails that came back take effect: bounces suppress, an answer stops its sequence and reaches whoever cares."""

import mailbox
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.app.mail_back import hear_mails, keep_mails, take_folder
from leadflow.errors import RetryableError, UsageError
from leadflow.models import account, decision, enrolment, event, intake, message, reply, suppression
from leadflow.ports import Alert
from leadflow.testing import MemorySales
from tests.apps import an_app
from tests.build import NIGHT
from tests.intake.returned import bounce, complaint
from tests.intake.returned import reply as answer
from tests.pipeline.mails import add_message
from tests.pipeline.sales import open_handover, selling

SENT = NIGHT - timedelta(hours=30)


@pytest.fixture
def app(engine: Engine, session: Session) -> App:
    """Two people with a mail each, and what the first one's sequence has planned next; two sequences of hers in all."""
    session.execute(insert(account), {"id": 1, "key": "x.example", "name": "X", "owner": "Sofia", "created_at": SENT})
    sent: dict[str, Any] = {"state": "accepted", "sent_at": SENT}
    person = {"first_name": "Claire", "last_name": "Morel", "account_id": 1}
    add_message(session, 1, attempt_id="w1-7", lead=person, **sent)
    add_message(session, 2, attempt_id="w1-8", **sent)
    add_message(session, 3, lead_id=1, enrolment={"track": "u", "sequence": "other"}, purpose="service", counted=False)
    session.execute(message.insert(), [_next(session, 1)])
    session.commit()
    return an_app(engine, book=selling())


def _next(session: Session, of: int) -> dict[str, object]:
    row = session.execute(select(message).where(message.c.id == of)).mappings().one()
    fresh = {"id": 90 + of, "step": "next", "state": "planned", "attempt_id": None, "sent_at": None}
    return dict(row) | fresh


def told(app: App) -> list[Alert]:
    assert isinstance(app.ports.alerts, MemorySales)
    return app.ports.alerts.alerts


def hear(app: App, *mails: bytes) -> None:
    keep_mails(app, mails, NIGHT)
    hear_mails(app, NIGHT + timedelta(seconds=1))


def test_an_answer_is_an_act_that_stops_its_sequence_and_goes_to_the_owner(app: App, session: Session) -> None:
    hear(app, answer("Call me on Monday."))
    act = session.execute(select(event.c.kind, event.c.lead_id, event.c.message_id, event.c.weight)).one()
    assert act == ("email_replied", 1, 1, 100)
    ends = select(enrolment.c.sequence, enrolment.c.end_reason).where(enrolment.c.lead_id == 1)
    assert dict(session.execute(ends).tuples().all()) == {"s": "replied", "other": None}
    left = select(message.c.id, message.c.state, message.c.reason).where(message.c.id.in_((3, 91)))
    assert set(session.execute(left).tuples().all()) == {(3, "planned", None), (91, "suppressed", "exited")}
    assert {(row.kind, row.reason) for row in session.execute(select(decision))} == {
        ("exit", "replied"),
        ("suppress", "exited"),
    }
    (alert,) = told(app)
    assert alert.to == "Sofia"
    assert "Claire Morel, X" in alert.title
    assert "Call me on Monday." in alert.body


def test_its_words_are_forgotten_once_they_are_told(app: App, session: Session) -> None:
    hear(app, answer("Call me on Monday."))
    assert session.execute(select(reply.c.words, reply.c.subject)).one() == (None, None)
    assert session.scalars(select(intake.c.body)).all() == [b""]


def test_the_same_answer_twice_is_one(app: App, session: Session) -> None:
    hear(app, answer(), answer())
    hear(app, answer())
    assert len(session.scalars(select(event.c.id)).all()) == len(told(app)) == 1


def test_an_answer_waits_while_nobody_can_be_told(app: App, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: MemorySales, _alert: Alert) -> None:
        raise RetryableError("away")

    with monkeypatch.context() as patch:
        patch.setattr(MemorySales, "tell", fail)
        hear(app, answer("Still there?"))
    assert session.scalars(select(reply.c.words)).all() == ["Still there?"]
    session.rollback()
    hear_mails(app, NIGHT + timedelta(minutes=5))
    assert [alert.body.count("Still there?") for alert in told(app)] == [1]


def test_whoever_has_the_hand_over_is_told(app: App, session: Session) -> None:
    open_handover(session, 5, rep="Inès")
    add_message(session, 5, lead_id=5, attempt_id="w1-9", state="accepted", sent_at=SENT)
    session.commit()
    hear(app, answer(From="p5@x.example", In_Reply_To="<w1-9@mail.a.example>", Message_ID="<r5@x.example>"))
    assert [(alert.to, alert.escalation_id) for alert in told(app)] == [("Inès", 5)]


def test_an_answer_to_no_mail_of_ours_is_an_act_and_stops_nothing(app: App, session: Session) -> None:
    hear(app, answer(From="P2@x.example", In_Reply_To="<other@elsewhere.example>"))
    assert session.execute(select(event.c.lead_id, event.c.message_id)).one() == (2, None)
    assert session.scalars(select(enrolment.c.id).where(enrolment.c.ended_at.is_not(None))).all() == []
    assert len(told(app)) == 1


def test_a_stranger_and_an_answering_machine_are_nobody(app: App, session: Session) -> None:
    hear(app, answer(From="who@y.example", In_Reply_To=""), answer(Auto_Submitted="auto-replied"))
    assert session.scalars(select(event.c.id)).all() == []
    assert told(app) == []


def test_bounces_and_complaints_suppress(app: App, session: Session) -> None:
    hear(app, bounce(), complaint(address=None), bounce("p2@x.example", original="<w1-8@mail.a.example>"))
    reasons = select(suppression.c.address_hash, suppression.c.reason)
    assert dict(session.execute(reasons).tuples().all()) == {"h1": "complained", "h2": "bounced"}
    states = select(message.c.id, message.c.delivery).where(message.c.id < 3)
    assert dict(session.execute(states).tuples().all()) == {1: "complained", 2: "bounced"}


def test_a_maildir_is_read_once(app: App, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "back")
    box.add(bounce())
    box.add(answer(From="p2@x.example", In_Reply_To="<w1-8@mail.a.example>"))
    counts = take_folder(app, tmp_path / "back", NIGHT)
    assert (counts["mails"], counts["bounced"], counts["replied"], counts["stopped"], counts["told"]) == (2, 1, 1, 1, 1)
    assert take_folder(app, tmp_path / "back", NIGHT + timedelta(hours=1)) == {"too_large": 0}
    assert sorted(path.parent.name for path in (tmp_path / "back").rglob("*") if path.is_file()) == ["cur", "cur"]


def test_an_mbox_is_emptied(app: App, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "back.mbox")
    box.add(bounce())
    box.add(complaint())
    box.close()
    assert take_folder(app, tmp_path / "back.mbox", NIGHT)["mails"] == 2
    assert (tmp_path / "back.mbox").read_bytes() == b""


def test_a_folder_without_mail_is_said_to_be_none(app: App, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Maildir"):
        take_folder(app, tmp_path, NIGHT)

"""Deliver: a durable intent before the first byte, one visible end for every message, one poison harms nobody else."""

import shutil
from datetime import timedelta
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, delete, event, insert, select, update
from sqlalchemy.orm import Session

from leadflow.errors import RefusedError, RetryableError
from leadflow.esp.memory import MemoryProvider
from leadflow.links import read_click, read_unsubscribe
from leadflow.models import decision, escalation, link, message, suppression
from leadflow.pipeline import deliver as deliver_module
from leadflow.pipeline.runs import store_playbook
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.ports import Outgoing
from leadflow.types import Leads, instant_of, micros
from leadflow.windows import ensure_calendars
from tests.build import NIGHT, add_lead
from tests.pipeline.mails import add_message, deliver, email, mail_playbook, row


@pytest.fixture
def memory() -> MemoryProvider:
    return MemoryProvider()


def test_a_message_that_is_due_is_sent_once_and_recorded(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1, lead={"first_name": "Zoé", "last_name": "Petit"})
    session.commit()
    outcome = deliver(engine, memory)
    sent, after = memory.sent[0], row(engine, 1)
    assert (len(memory.sent), outcome.read, outcome.counts["accepted"]) == (1, 1, 1)
    assert ("accepted", f"memory-{sent.attempt_id}", 1) == (after.state, after.provider_id, after.attempts)
    assert (after.sent_at, after.owner, after.lease_until) == (NIGHT, None, None)
    assert (sent.to, sent.to_name, sent.text.splitlines()[0]) == ("p1@x.example", "Zoé Petit", "Hello Zoé,")
    deliver(engine, memory)
    assert len(memory.sent) == 1


def test_its_links_are_signed_and_their_targets_stored(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 7)
    session.commit()
    deliver(engine, memory)
    stored = session.execute(select(link)).one()
    token = memory.sent[0].html.split("https://mail.a.example/c/")[1].split('"')[0]
    assert ("https://a.example/pricing", (7, stored.id)) == (stored.url, read_click("k", token))
    assert read_unsubscribe("k", memory.sent[0].unsubscribe_url.rpartition("/")[2]) == (7, "nurture")


def test_the_provider_can_name_the_message_and_the_attempt(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 7)
    session.commit()
    deliver(engine, memory)
    assert {"lf_message": "7", "lf_attempt": row(engine, 7).attempt_id} == memory.sent[0].arguments


def test_the_intent_is_committed_before_the_first_byte(engine: Engine, session: Session) -> None:
    add_message(session, 1)
    session.commit()
    seen: list[tuple[str, str]] = []
    look = lambda mail: seen.append((row(engine, 1).state, mail.attempt_id))  # noqa: E731
    deliver(engine, MemoryProvider(look))
    assert [("sending", row(engine, 1).attempt_id)] == seen


def test_what_is_not_due_or_out_of_scope_stays(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    add_message(session, 1, send_at=NIGHT + timedelta(microseconds=1))
    add_message(session, 2)
    add_message(session, 3)
    session.commit()
    deliver(engine, memory, scope=Leads((2,)))
    assert [mail.message_id for mail in memory.sent] == [2]


@pytest.mark.parametrize(("answer", "state"), [(RefusedError, "failed"), (RuntimeError, "unknown")])
def test_each_answer_has_its_state(engine: Engine, session: Session, answer: type[Exception], state: str) -> None:
    def say(mail: Outgoing) -> None:
        if mail.message_id == 2:
            raise answer

    for n in (1, 2, 3):
        add_message(session, n)
    session.commit()
    deliver(engine, MemoryProvider(say))
    assert ["accepted", state, "accepted"] == [row(engine, n).state for n in (1, 2, 3)]


def test_an_unknown_outcome_keeps_its_sending_time_and_is_never_tried_again(engine: Engine, session: Session) -> None:
    def time_out(_mail: Outgoing) -> None:
        raise TimeoutError

    add_message(session, 1)
    session.commit()
    deliver(engine, MemoryProvider(time_out))
    again = MemoryProvider()
    deliver(engine, again, now=NIGHT + timedelta(days=1))
    assert (again.sent, row(engine, 1).state, row(engine, 1).sent_at) == ([], "unknown", NIGHT)


def test_a_passing_refusal_is_tried_again_later_and_later_and_then_fails(engine: Engine, session: Session) -> None:
    def not_now(_mail: Outgoing) -> None:
        raise RetryableError("421 later")

    add_message(session, 1)
    session.commit()
    now, waits = NIGHT, []
    for _attempt in range(5):
        deliver(engine, MemoryProvider(not_now), now=now)
        waits.append((row(engine, 1).send_at - now).total_seconds() / 60)
        now = max(now, row(engine, 1).send_at)
    after = row(engine, 1)
    assert waits[:4] == [5, 10, 20, 40]
    assert (
        after.state,
        after.reason,
        after.attempts,
        after.sent_at,
        after.note,
    ) == ("failed", "refused", 5, None, "421 later")


def test_a_provider_that_asks_for_time_gets_it(engine: Engine, session: Session) -> None:
    def busy(_mail: Outgoing) -> None:
        raise RetryableError(retry_after=3600)

    add_message(session, 1)
    session.commit()
    deliver(engine, MemoryProvider(busy))
    assert NIGHT + timedelta(hours=1) == row(engine, 1).send_at


def test_a_mail_that_lacks_a_value_fails_alone(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    book = mail_playbook(
        email(), email("needy", "For {{ company.name }}"), email("broken", "{{ lead.first_name.x.y }}")
    )
    for n, name in enumerate(("needy", "hello", "broken", "gone"), start=1):
        add_message(session, n, email=name, lead={"first_name": "A"})
    session.commit()
    deliver(engine, memory, playbook=book)
    found = [(row(engine, n).state, row(engine, n).reason) for n in range(1, 5)]
    failed = ("failed", "render_failed")
    assert [("failed", "missing_field"), ("accepted", None), failed, failed] == found
    assert row(engine, 1).note == "needy (en): company.name has no value"


@pytest.mark.parametrize(
    ("reason", "columns"),
    [
        ("expired", {"expires_at": NIGHT}),
        ("exited", {"enrolment": {"state": "ended", "ended_at": NIGHT}}),
        ("paused", {"enrolment": {"state": "paused"}}),
        ("customer", {"lead": {"state": {"lifecycle": "customer"}}}),
        ("no_mail_flag", {"lead": {"no_mail": True}}),
        ("no_basis", {"lead": {"basis": None}}),
        ("with_sales", {"lead": {"state": {"with_sales": True}}}),
    ],
)
def test_what_must_not_leave_any_more_is_suppressed_and_said(
    engine: Engine, session: Session, memory: MemoryProvider, reason: str, columns: dict[str, Any]
) -> None:
    add_message(session, 1, **columns)
    session.commit()
    deliver(engine, memory)
    assert ([], "suppressed", reason) == (memory.sent, row(engine, 1).state, row(engine, 1).reason)
    told = session.execute(select(decision.c.kind, decision.c.subject, decision.c.reason)).one()
    assert tuple(told) == ("suppress", "s/step-1", reason)


def test_an_unsubscribe_between_planning_and_sending_is_heard(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1)
    session.execute(
        insert(suppression), {"address_hash": "h1", "reason": "unsubscribed", "at": NIGHT, "source": "page"}
    )
    session.commit()
    deliver(engine, memory)
    assert (memory.sent, row(engine, 1).state, row(engine, 1).reason) == ([], "suppressed", "unsubscribed")


def test_a_mail_due_after_its_window_has_shut_waits_for_the_next_one(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    book = mail_playbook()
    add_message(session, 1, send_at=NIGHT - timedelta(hours=8))
    add_message(session, 2, send_at=NIGHT - timedelta(hours=8), purpose="service")
    ensure_calendars(session, book, NIGHT)
    session.commit()
    outcome = deliver(engine, memory, playbook=book)
    nine = NIGHT.astimezone(ZoneInfo("Europe/Paris")).replace(hour=9, minute=0)
    after = row(engine, 1)
    assert (after.state, after.send_at, after.attempts, after.owner) == ("planned", nine, 0, None)
    assert ([mail.message_id for mail in memory.sent], outcome.skipped) == ([2], {"window": 1})
    deliver(engine, memory, playbook=book, now=nine)
    assert row(engine, 1).state == "accepted"


def test_a_service_mail_goes_on_to_a_customer(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    add_message(session, 1, purpose="service", counted=False, lead={"state": {"lifecycle": "customer"}})
    session.commit()
    deliver(engine, memory)
    assert row(engine, 1).state == "accepted"


def test_a_lapsed_claim_is_taken_over_and_a_living_one_is_not(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1, state="claimed", owner="dead", lease_until=instant_of(1))
    add_message(session, 2, state="claimed", owner="alive", lease_until=instant_of(2**52))
    session.commit()
    assert deliver(engine, memory).counts["released"] == 1
    assert [row(engine, n).state for n in (1, 2)] == ["accepted", "claimed"]


def test_a_message_in_sending_is_left_to_reconciliation(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1, state="sending", owner="dead", attempt_id="a", sent_at=NIGHT, lease_until=instant_of(1))
    session.commit()
    deliver(engine, memory)
    assert (row(engine, 1).state, memory.sent) == ("sending", [])


def test_an_answer_never_overwrites_what_reconciliation_found_meanwhile(engine: Engine, session: Session) -> None:
    def overtaken(_mail: Outgoing) -> None:
        with engine.begin() as other:
            other.execute(update(message).values(state="accepted", note="found in the log"))
        raise TimeoutError

    add_message(session, 1)
    session.commit()
    deliver(engine, MemoryProvider(overtaken))
    assert (row(engine, 1).state, row(engine, 1).note) == ("accepted", "found in the log")


def test_a_stop_in_the_middle_leaves_one_in_doubt_and_plans_the_rest_again(engine: Engine, session: Session) -> None:
    def stop(mail: Outgoing) -> None:
        if mail.message_id == 2:
            raise KeyboardInterrupt

    for n in (1, 2, 3):
        add_message(session, n)
    session.commit()
    with pytest.raises(KeyboardInterrupt):
        deliver(engine, MemoryProvider(stop))
    assert [row(engine, n).state for n in (1, 2, 3)] == ["accepted", "unknown", "planned"]
    assert [row(engine, 3).sent_at, row(engine, 3).owner] == [None, None]


def test_a_salesperson_who_accepted_signs_the_mails_that_ask_for_it(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_lead(session, 1, basis="consent")
    given = {"lead_id": 1, "number": 1, "rule": "r", "route": "x", "opened_at": NIGHT, "due_at": NIGHT, "playbook": "0"}
    session.execute(insert(escalation), given | {"rep": "Inès Roy", "state": "accepted"})
    add_message(session, 1, 1)
    session.commit()
    deliver(engine, memory, playbook=mail_playbook(email(body="{{ sender.first_name }}", sender="owner")))
    assert (memory.sent[0].from_name, memory.sent[0].from_address) == ("Inès Roy", "camille@a.example")
    assert memory.sent[0].text.splitlines()[0] == "Inès"


def _workspace(folder: Path, words: str) -> Playbook:
    """The shipped workspace with `words` in the English welcome, frozen."""
    root = Path(__file__).parents[2]
    for part in ("config", "segments", "templates", "lists"):
        shutil.copytree(root / part, folder / part)
    welcome = folder / "templates/emails/welcome"
    described = welcome / "email.yaml"
    described.write_text(described.read_text() + "\nfreeze: true\n")
    (welcome / "body.en.md").write_text(words)
    return load_playbook(folder)


def test_a_frozen_email_leaves_with_the_text_of_the_day_it_was_planned(
    engine: Engine, session: Session, memory: MemoryProvider, tmp_path: Path
) -> None:
    then, today = _workspace(tmp_path / "then", "Old words."), _workspace(tmp_path / "today", "New words.")
    store_playbook(session, then, NIGHT)
    planned: dict[str, Any] = {"email": "welcome", "version": then.emails["welcome"].version, "playbook": then.version}
    add_message(session, 1, **planned)
    add_message(session, 2, **planned | {"playbook": "never kept"})
    session.commit()
    deliver(engine, memory, playbook=today)
    assert ["Old words." in mail.text for mail in memory.sent] == [True]
    assert (row(engine, 1).version, row(engine, 2).reason) == (then.emails["welcome"].version, "render_failed")


def test_an_edited_email_leaves_with_the_new_text_and_says_so(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1, version="old")
    session.commit()
    deliver(engine, memory, playbook=mail_playbook(email(version="new")))
    assert row(engine, 1).version == "new"


def test_a_mail_frozen_on_its_way_is_not_sent_late(
    engine: Engine, session: Session, memory: MemoryProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_message(session, 1)
    session.commit()
    clock = iter([0.0, 121.0, 200.0, 201.0])
    monkeypatch.setattr(deliver_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    outcome = deliver(engine, memory)
    assert (outcome.counts["retried"], outcome.counts["accepted"], len(memory.sent)) == (1, 1, 1)


def test_workers_at_the_same_outbox_send_each_message_once(engine: Engine, session: Session) -> None:
    for n in range(1, 41):
        add_message(session, n)
    session.commit()
    seen: list[int] = []
    provider = MemoryProvider(lambda mail: seen.append(mail.message_id))
    workers = [Thread(target=deliver, args=(engine, provider), kwargs={"batch": 3}) for _worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(seen) == list(range(1, 41))


def test_statements_grow_with_the_batches_alone(engine: Engine, session: Session) -> None:
    for n in range(1, 61):
        add_message(session, n)
    session.commit()

    def statements(count: int) -> int:
        with engine.begin() as connection:
            connection.execute(delete(decision))
            ids = list(range(1, count + 1))
            connection.execute(update(message).values(state="accepted", attempt_id=None, send_at=micros(NIGHT)))
            connection.execute(update(message).where(message.c.id.in_(ids)).values(state="planned"))
        made: list[str] = []
        note = lambda *arguments: made.append(arguments[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", note)
        deliver(engine, batch=10)
        event.remove(engine, "before_cursor_execute", note)
        return len([text for text in made if not text.startswith(("BEGIN", "PRAGMA"))])

    one, two, six = statements(10), statements(20), statements(60)
    assert 4 * (two - one) == six - two

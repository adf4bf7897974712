"""Attempts nobody can speak for: the log is believed when it says yes, and when it has said no twice, in time."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from leadflow.errors import BusyError, CrowdedError, ProviderError, SettingsError
from leadflow.esp import sendgrid, smtp
from leadflow.esp.memory import MemoryProvider
from leadflow.models import message
from leadflow.pipeline import deliver_supply, reconcile_rows
from leadflow.pipeline import reconcile as reconciling
from leadflow.pipeline.reconcile_rows import note_negatives
from leadflow.types import MINUTE, SECOND, instant_of, micros
from tests.build import NIGHT
from tests.pipeline.doubts import GRACE, Log, add_doubt, book, pass_minutes, reconcile, states, told
from tests.pipeline.mails import add_message, deliver, row


def test_what_the_log_has_is_accepted_with_its_number(engine: Engine, session: Session) -> None:
    add_doubt(session, 1)
    add_doubt(session, 2, "unknown", reason="unknown_outcome")
    session.commit()
    counts = reconcile(engine, Log({"a1": "sg-1", "a2": "sg-2"}))
    assert dict(counts) == {"asked": 2, "found": 2, "waiting": 0}
    for number in (1, 2):
        after = row(engine, number)
        assert ("accepted", None, f"sg-{number}", None, NIGHT) == (
            after.state,
            after.reason,
            after.provider_id,
            after.owner,
            after.sent_at,
        )
    assert told(engine) == ["found", "found"]


def test_nothing_is_asked_before_the_grace_has_passed(engine: Engine, session: Session) -> None:
    add_doubt(session, 1, minutes=14)
    session.commit()
    log = Log({"a1": "sg-1"})
    reconcile(engine, log)
    assert (log.asked, states(engine, [1])) == ([], ["sending"])
    pass_minutes(engine, 2)
    reconcile(engine, log)
    assert (log.asked, states(engine, [1])) == ([("a1",)], ["accepted"])


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_log_that_says_no_is_believed_at_the_second_time_half_an_hour_later(
    engine: Engine, session: Session, state: str
) -> None:
    add_doubt(session, 1, state)
    session.commit()
    log = Log()
    first = dict(reconcile(engine, log))
    assert (first["denied"], states(engine, [1]), row(engine, 1).negatives) == (1, [state], 1)
    pass_minutes(engine, 29)
    reconcile(engine, log)
    assert len(log.asked) == 1
    pass_minutes(engine, 2)
    assert dict(reconcile(engine, log))["planned_again"] == 1
    after = row(engine, 1)
    assert (after.state, after.reason, after.sent_at, after.owner, after.attempts) == ("planned", None, None, None, 1)
    assert told(engine) == ["planned_again"]


def test_what_is_planned_again_leaves_under_a_new_attempt(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_doubt(session, 1)
    session.commit()
    for _question in range(2):
        reconcile(engine, Log())
        pass_minutes(engine, 31)
    deliver(engine, memory)
    after = row(engine, 1)
    assert (after.state, after.attempts, after.negatives, after.asked_at) == ("accepted", 2, 0, None)
    assert [mail.attempt_id for mail in memory.sent] == [after.attempt_id]
    assert after.attempt_id != "a1"


def test_a_no_from_before_the_grace_says_nothing(engine: Engine, session: Session) -> None:
    """An answer that came late planned the message again, and what the log said was about another attempt."""
    add_doubt(session, 1, minutes=50)
    session.execute(update(message).values(negatives=1, asked_at=message.c.intent_at - 1))
    session.commit()
    reconcile(engine, Log())
    assert (states(engine, [1]), row(engine, 1).negatives) == (["sending"], 1)


def test_a_log_that_does_not_answer_changes_nothing_and_is_told(engine: Engine, session: Session) -> None:
    add_doubt(session, 1)
    session.commit()
    before = row(engine, 1)
    counts = reconcile(engine, Log(error=ProviderError()))
    assert (dict(counts), row(engine, 1)) == ({"unreachable": 1, "waiting": 1}, before)


def test_what_a_log_that_was_asked_enough_has_said_already_counts(engine: Engine, session: Session) -> None:
    for number in (1, 2, 3):
        add_doubt(session, number)
    session.commit()
    counts = reconcile(engine, Log(error=BusyError(found={"a1": "sg-1"}, denied={"a2"})))
    assert (counts["found"], counts["denied"], counts["busy"]) == (1, 1, 1)
    assert [row(engine, n).negatives for n in (1, 2, 3)] == [0, 1, 0]
    log = Log()
    reconcile(engine, log)
    assert log.asked == [("a3",)]


def test_a_crowded_log_is_asked_one_by_one_and_none_keeps_the_others_waiting(engine: Engine, session: Session) -> None:
    class Crowded(Log):
        def find(self, asked):  # type: ignore[no-untyped-def]
            if len(asked) > 1 or asked[0].attempt_id == "a1":
                raise CrowdedError
            return super().find(asked)

    for number in (1, 2, 3):
        add_doubt(session, number)
    session.commit()
    log = Crowded({"a2": "sg-2"})
    counts = reconcile(engine, log)
    assert (log.asked, counts["crowded"]) == ([("a2",), ("a3",)], 1)
    assert states(engine, [1, 2, 3]) == ["sending", "accepted", "sending"]
    assert [row(engine, n).negatives for n in (1, 3)] == [0, 1]


def test_intents_of_the_same_hours_share_a_question(engine: Engine, session: Session) -> None:
    for number, minutes in ((1, 600), (2, 300), (3, 30)):
        add_doubt(session, number, minutes=minutes)
    session.commit()
    log = Log()
    reconcile(engine, log)
    assert log.asked == [("a1", "a2"), ("a3",)]


def test_what_the_log_has_forgotten_stays_unknown(engine: Engine, session: Session) -> None:
    add_doubt(session, 1, "unknown", minutes=26 * 24 * 60)
    session.commit()
    log = Log()
    reconcile(engine, log)
    assert (log.asked, states(engine, [1])) == ([], ["unknown"])


def test_what_never_left_and_is_too_late_now_is_suppressed(engine: Engine, session: Session) -> None:
    add_doubt(session, 1, expires_at=NIGHT)
    add_doubt(session, 2, attempts=5)
    session.commit()
    for _question in range(2):
        reconcile(engine, Log())
        pass_minutes(engine, 31)
    assert [(row(engine, n).state, row(engine, n).reason) for n in (1, 2)] == [
        ("suppressed", "expired"),
        ("failed", "refused"),
    ]
    assert (row(engine, 1).sent_at, row(engine, 2).note) == (None, "not in the provider's log")
    assert told(engine) == ["expired", "worn_out"]


def test_an_address_with_another_mail_in_flight_waits_for_its_turn(engine: Engine, session: Session) -> None:
    add_doubt(session, 1, "unknown")
    add_doubt(session, 2, "unknown", lead_id=1, enrolment={"track": "2", "sequence": "2"})
    add_message(session, 3, 1, enrolment={"track": "3", "sequence": "3"}, send_at=NIGHT + timedelta(days=1))
    session.commit()
    for _question in range(2):
        reconcile(engine, Log())
        pass_minutes(engine, 31)
    assert states(engine, [1, 2, 3]) == ["unknown", "unknown", "planned"]
    with engine.begin() as connection:
        connection.execute(update(message).where(message.c.id == 3).values(state="accepted", attempt_id="x"))
    reconcile(engine, Log())
    assert states(engine, [1, 2]) == ["planned", "unknown"]


@pytest.mark.parametrize(
    ("on_unknown", "after"), [("hold", ["unknown", "unknown"]), ("resend", ["planned", "planned"])]
)
def test_without_a_log_the_playbook_chooses_between_never_twice_and_never_zero(
    engine: Engine, session: Session, on_unknown: str, after: list[str]
) -> None:
    add_doubt(session, 1)
    add_doubt(session, 2, "unknown", reason="unknown_outcome")
    session.commit()
    reconcile(engine, None, on_unknown=on_unknown)
    assert states(engine, [1, 2]) == after
    if on_unknown == "hold":
        assert (row(engine, 1).reason, row(engine, 1).sent_at) == ("unknown_outcome", NIGHT)
        assert told(engine) == ["held"]


def test_without_a_log_nobody_says_that_an_expired_mail_did_not_leave(engine: Engine, session: Session) -> None:
    add_doubt(session, 1, expires_at=NIGHT)
    add_doubt(session, 2, attempts=5)
    session.commit()
    reconcile(engine, None, on_unknown="resend")
    assert states(engine, [1, 2]) == ["unknown", "unknown"]


def test_what_is_held_for_good_takes_nobody_s_turn(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_rows, "BATCH", 2)
    add_doubt(session, 1, "unknown", minutes=90, expires_at=NIGHT)
    add_doubt(session, 2, "unknown", minutes=80, attempts=5)
    add_doubt(session, 3, "unknown")
    session.commit()
    reconcile(engine, None, on_unknown="resend")
    assert states(engine, [1, 2, 3]) == ["unknown", "unknown", "planned"]


def test_two_who_ask_at_once_count_one_no(engine: Engine, session: Session) -> None:
    add_doubt(session, 1)
    session.commit()
    together = Barrier(2)

    class Slow(Log):
        def find(self, _asked):  # type: ignore[no-untyped-def]
            together.wait(10)
            return {}

    both = [Thread(target=reconcile, args=(engine, Slow())) for _reconciler in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert (row(engine, 1).negatives, states(engine, [1])) == (1, ["sending"])


def test_a_reconciler_that_stood_still_counts_nothing_it_asked_long_ago(engine: Engine, session: Session) -> None:
    """Its question is as old as the first one, however late it writes the answer down."""
    add_doubt(session, 1, minutes=90)
    session.commit()
    reconcile(engine, Log())
    pass_minutes(engine, 35)
    asked = micros(row(engine, 1).asked_at)
    with engine.begin() as connection:
        for late, counted in ((asked - 1, []), (asked + 30 * MINUTE - 1, []), (asked + 30 * MINUTE, [1])):
            assert list(connection.scalars(note_negatives(["a1"], GRACE * MINUTE, late))) == counted


def test_whoever_settles_late_does_not_plan_an_attempt_that_is_on_its_way(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_doubt(session, 1)
    session.commit()
    reconcile(engine, Log())
    pass_minutes(engine, 31)
    settle = reconciling._Run._plan

    def overtaken(self: reconciling._Run, rows: list[object]) -> None:
        with engine.begin() as other:
            other.execute(update(message).values(attempt_id="a1-again", intent_at=instant_of(2**51), negatives=0))
        settle(self, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(reconciling._Run, "_plan", overtaken)
    reconcile(engine, Log())
    assert states(engine, [1]) == ["sending"]


def test_a_grace_that_is_too_short_is_refused_in_words(engine: Engine) -> None:
    reconciling.refuse_short_grace(book(grace=9), Log())
    with pytest.raises(SettingsError, match=r"grace: 8 minutes\} is too short: a mail may take 8 minutes"):
        reconcile(engine, Log(), grace=8)
    reconciling.refuse_short_grace(book(grace=4), None)
    with pytest.raises(SettingsError, match="3 minutes"):
        reconcile(engine, None, grace=3)


def test_the_spans_that_a_grace_must_outlast_are_those_of_the_code() -> None:
    slowest = max(sendgrid._CONNECT + sendgrid._PATIENCE, 2 * smtp._TIMEOUT) * SECOND
    assert slowest <= reconciling.CLIENT_TIMEOUT
    assert reconciling.FRESHNESS >= deliver_supply.FRESH * SECOND

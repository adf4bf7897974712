"""Failed mail that somebody has tried again: through the arbiter's key and caps, each with who asked."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.esp.memory import MemoryProvider
from leadflow.models import decision
from leadflow.pipeline.resend import Which, plan_resend, resend
from leadflow.types import MessageState
from tests.build import NIGHT
from tests.pipeline.doubts import add_doubt, states
from tests.pipeline.mails import add_message, deliver, mail_playbook, row

BOOK = mail_playbook()
FAILED: dict[str, Any] = {"state": "failed", "reason": "refused", "attempts": 5, "note": "SendGrid answered 400"}


def again(engine: Engine, which: Which | None = None, *, by: str = "ana") -> int:
    """Have them tried again."""
    with Session(engine) as session, session.begin():
        return resend(session, BOOK, NIGHT, which or Which(), by=by)


def plan(engine: Engine, which: Which | None = None) -> dict[str, int]:
    """Fate → how many."""
    with Session(engine) as session:
        lines = plan_resend(session, BOOK, NIGHT, which or Which())
    return {fate: sum(line.n for line in lines if line.fate == fate) for fate in {line.fate for line in lines}}


def test_failed_mail_leaves_again_and_who_asked_is_kept(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1, **FAILED)
    session.commit()
    assert again(engine) == 1
    deliver(engine, memory)
    assert (row(engine, 1).state, row(engine, 1).attempts, len(memory.sent)) == ("accepted", 1, 1)
    with Session(engine) as after:
        told = after.execute(select(decision.c.subject, decision.c.reason, decision.c.detail)).one()
    assert (told.subject, told.reason, told.detail["by"]) == ("s/step-1", "refused", "ana")
    assert again(engine) == 0


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (Which(), [1, 2, 3]),
        (Which(reason="render_failed"), [2]),
        (Which(email="other"), [3]),
        (Which(since=NIGHT), [1, 2]),
        (Which(state=MessageState.UNKNOWN), [4]),
    ],
)
def test_only_what_was_named_is_sent_again(engine: Engine, session: Session, which: Which, found: list[int]) -> None:
    add_message(session, 1, **FAILED)
    add_message(session, 2, **FAILED | {"reason": "render_failed"})
    add_message(session, 3, **FAILED | {"email": "other", "send_at": NIGHT - timedelta(days=1)})
    add_doubt(session, 4, "unknown", reason="unknown_outcome")
    add_message(session, 5, state="suppressed", reason="expired")
    session.commit()
    assert plan(engine, which) == {"go": len(found)}
    again(engine, which)
    planned = [number for number, state in enumerate(states(engine, range(1, 6)), start=1) if state == "planned"]
    assert planned == found


def test_what_is_too_late_or_whose_address_is_taken_stays(engine: Engine, session: Session) -> None:
    add_message(session, 1, **FAILED, expires_at=NIGHT)
    add_message(session, 2, **FAILED)
    add_message(session, 3, 2, enrolment={"track": "3", "sequence": "3"})
    add_message(session, 4, **FAILED)
    add_message(session, 5, 4, **FAILED, enrolment={"track": "5", "sequence": "5"})
    session.commit()
    assert plan(engine) == {"busy": 2, "expired": 1, "go": 1}
    assert again(engine) == 1
    assert states(engine, range(1, 6)) == ["failed", "failed", "planned", "planned", "failed"]


def test_caps_that_others_have_filled_put_it_off_or_keep_it_back(engine: Engine, session: Session) -> None:
    """Two days lie between two mails."""
    yesterday = NIGHT - timedelta(days=1)
    for number, expires in ((1, NIGHT + timedelta(days=5)), (3, NIGHT + timedelta(hours=23))):
        add_message(session, number, **FAILED, expires_at=expires)
        other: dict[str, Any] = {"enrolment": {"track": "o", "sequence": "o"}, "attempt_id": f"o{number}"}
        add_message(session, number + 1, number, state="accepted", sent_at=yesterday, **other)
    session.commit()
    assert again(engine) == 1
    assert (row(engine, 1).state, row(engine, 1).send_at) == ("planned", yesterday + timedelta(hours=48))
    assert row(engine, 3).state == "failed"


def test_service_mail_knows_no_caps(engine: Engine, session: Session) -> None:
    add_message(session, 1, **FAILED, purpose="service", counted=False)
    add_message(session, 2, 1, enrolment={"track": "o", "sequence": "o"})
    session.commit()
    assert again(engine) == 1
    assert row(engine, 1).send_at == NIGHT

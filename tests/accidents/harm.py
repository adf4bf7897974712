"""What must not happen whatever the accident: asked of the rows after each of them."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.ask.invariants import broken
from leadflow.models import enrolment, message
from leadflow.playbook.model import Brake
from leadflow.testing import World
from leadflow.types import EnrolmentState

_LEFT = ("sending", "accepted", "unknown")


def no_mail_went_wrong(world: World) -> None:
    """Nobody got an email twice, or two within 48 hours; who unsubscribed got nothing more; every rule holds."""
    rows = select(message.c.lead_id, message.c.email, message.c.sent_at).where(message.c.state.in_(_LEFT))
    with Session(world.app.engine) as session:
        sent = session.execute(rows.order_by(message.c.lead_id, message.c.sent_at)).all()
        if world.swept is not None:
            assert broken(session, world.app.playbook, world.swept) == []
    seen: dict[int, list[tuple[str, datetime]]] = {}
    for lead_id, email, at in sent:
        before = seen.setdefault(lead_id, [])
        assert email not in [one for one, _ in before]
        assert not before or at - before[-1][1] >= timedelta(hours=48)
        before.append((email, at))
    assert len(seen.get(world.people.get("shop7", 0), [])) <= 1


def left(world: World) -> int:
    """How many mails have left."""
    with Session(world.app.engine) as session:
        return session.scalar(select(func.count()).where(message.c.state.in_(_LEFT))) or 0


def waiting(world: World) -> int:
    """How many are planned for later."""
    with Session(world.app.engine) as session:
        return session.scalar(select(func.count()).where(message.c.state == "planned")) or 0


def standing(world: World, state: EnrolmentState) -> int:
    """How many people stand in a sequence like this."""
    with Session(world.app.engine) as session:
        mine = (enrolment.c.ended_at.is_(None), enrolment.c.state == state)
        return session.scalar(select(func.count()).where(*mine)) or 0


def count(world: World, query: object) -> int:
    """The one number that `query` asks for."""
    with Session(world.app.engine) as session:
        return int(session.scalar(query) or 0)  # type: ignore[call-overload]


def brake(world: World, **limits: int) -> None:
    """From now on these limits hold the night."""
    world.app = replace(world.app, playbook=replace(world.app.playbook, brake=Brake(**limits)))

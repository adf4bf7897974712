"""A crowd of messages that are due, and one worker of several, a process of its own, that notes when each leaves."""

import json
import sys
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from leadflow.db import make_engine
from leadflow.models import identity, lead, lead_state, message
from leadflow.pipeline.deliver import deliver_messages
from leadflow.pipeline.pace import Pace
from leadflow.playbook.model import Delivery, Playbook
from leadflow.ports import Outgoing
from leadflow.types import SECOND, Rate
from tests.build import NIGHT
from tests.pipeline.mails import mail_playbook


class Noting:
    """Takes every mail and notes the time."""

    name = "noting"
    in_flight = 20

    def __init__(self) -> None:
        self.at: list[float] = []
        self.domains: list[str] = []

    async def send(self, mail: Outgoing) -> str:
        """It is taken."""
        self.at.append(time.time())
        self.domains.append(mail.to.rpartition("@")[2])
        return mail.attempt_id

    async def close(self) -> None:
        """Nothing was opened."""


def add_crowd(session: Session, n: int, *, first: int = 1, domain: str = "x.example", **columns: Any) -> None:
    """`n` messages planned for tonight, each to somebody of its own at `domain`."""
    ids = range(first, first + n)
    dates = {"first_seen_at": NIGHT, "created_at": NIGHT, "updated_at": NIGHT}
    person = {"attributes": {}, "folded": {}, "provenance": {}, "basis": "consent", "email_domain": domain}
    session.execute(insert(lead), [{"id": i, "address_id": i, "seed": i} | person | dates for i in ids])
    kind = {"kind": "email"}
    named = [{"id": i, "value": f"p{i}@{domain}", "hash": f"h{i}", "lead_id": i} | kind for i in ids]
    session.execute(insert(identity), named)
    since = {"stage_since": NIGHT, "lifecycle_since": NIGHT}
    session.execute(insert(lead_state), [{"lead_id": i} | since for i in ids])
    words = {
        "email": "hello",
        "language": "en",
        "purpose": "nurture",
        "basis": "consent",
        "version": "",
        "playbook": "",
    }
    times = {"planned_at": NIGHT, "send_at": NIGHT, "expires_at": NIGHT + timedelta(days=5)}
    whom = [{"id": i, "lead_id": i, "address_id": i, "chosen": {}} for i in ids]
    session.execute(insert(message), [one | words | times | columns for one in whom])


def paced(**rules: Any) -> Playbook:
    """A playbook with one email and these rules of delivery."""
    return mail_playbook(delivery=Delivery(**rules))


def say(line: str) -> None:
    """To whoever started this process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def work(url: str, rate: int, seconds: float) -> list[float]:
    """Deliver at `rate` a second for so long, beside whoever does the same; when each mail left."""
    provider, book = Noting(), paced(rate=Rate(n=rate, per=SECOND))
    engine = make_engine(url)
    say("ready")
    sys.stdin.readline()
    until = time.monotonic() + seconds
    deliver_messages(
        engine,
        book,
        NIGHT,
        provider=provider,
        key="k",
        public_url="https://mail.a.example",
        gate=Pace(book, NIGHT, provider=provider.name),
        stop=lambda: time.monotonic() >= until,
    )
    engine.dispose()
    return provider.at


if __name__ == "__main__":
    say(json.dumps(work(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))

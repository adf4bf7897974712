"""Where mail arrives: of the readers at each mailbox provider, how many opened one lately, beside all the others."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from leadflow.ask.finding import Finding, note, ok
from leadflow.ask.report.numbers import percent
from leadflow.models import lead, message, opened
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import DAY, MessageState, Purpose, micros

_LATELY = 30
#: Fewer readers are chance.
_ENOUGH = 50
#: A share below this part of the others' says that mail is not seen there.
_FAR_BELOW = 0.5


def arrivals(session: Session, playbook: Playbook, now: datetime) -> Iterator[Finding]:
    """A finding for each large provider whose readers open far less than the others; one line where none does."""
    rows = session.execute(_readers(playbook, now)).all()
    sent, seen = sum(row.sent for row in rows), sum(row.seen for row in rows)
    large = [row for row in rows if row.sent >= _ENOUGH]
    low = [row for row in large if _is_low(row, sent - row.sent, seen - row.seen)]
    for row in low:
        words = _("{share} of {n} readers at {domain} opened a mail in 30 days, elsewhere {others}")
        others = _share(seen - row.seen, sent - row.sent)
        told = words.format(share=_share(row.seen, row.sent), n=row.sent, domain=row.domain, others=others)
        do = _("mail to {domain} may land among the unwanted: look at its postmaster pages, and send less there")
        yield note("arrivals", told, do.format(domain=row.domain))
    if sent and not low:
        words = _("{share} of {n} readers opened a mail in 30 days, and no large mailbox provider is far below")
        yield ok("arrivals", words.format(share=_share(seen, sent), n=sent))


def _is_low(row: Row[Any], sent: int, seen: int) -> bool:
    return sent >= _ENOUGH and row.seen * sent < _FAR_BELOW * seen * row.sent


def _share(part: int, whole: int) -> str:
    return percent(part / whole)


def _readers(playbook: Playbook, now: datetime) -> Any:
    """domain, addresses that were mailed lately, and how many of them opened a mail since."""
    since = now - timedelta(days=_LATELY)
    day = since.astimezone(ZoneInfo(playbook.office.zone)).date().isoformat()
    mailed = (
        select(message.c.address_id)
        .distinct()
        .where(message.c.state == MessageState.ACCEPTED, message.c.purpose != Purpose.SERVICE)
        .where(message.c.sent_at >= micros(now) - _LATELY * DAY, message.c.sent_at < micros(now))
        .subquery()
    )
    return (
        select(lead.c.email_domain.label("domain"), func.count().label("sent"))
        .add_columns(func.sum(case((opened.c.day >= day, 1), else_=0)).label("seen"))
        .select_from(mailed)
        .join(lead, lead.c.address_id == mailed.c.address_id)
        .outerjoin(opened, opened.c.identity_id == mailed.c.address_id)
        .group_by(lead.c.email_domain)
        .order_by(func.count().desc(), lead.c.email_domain)
    )

"""What each email did: sent, delivered, clicked by people, answered, and who moved on after it."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    distinct,
    func,
    literal,
    select,
    type_coerce,
    union,
    union_all,
)
from sqlalchemy.orm import Session

from leadflow.ask.report.period import Period
from leadflow.email.variants import ORIGINAL
from leadflow.models import consent, event, lifecycle_change, message, playbook_version, stage_change
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, FULL_WEIGHT, Delivery, Lifecycle, MessageState

#: Moving on counts within this long of a mail; a reply or a no that names none is the last mail's for as long.
SOON = 14 * DAY
#: What was sent, or may have been.
SENT = (MessageState.ACCEPTED, MessageState.UNKNOWN)
#: A mail that somebody unsubscribed from or complained of had arrived.
ARRIVED = (Delivery.DELIVERED, Delivery.UNSUBSCRIBED, Delivery.COMPLAINED)
#: Where emails lie in a workspace.
FOLDER = "templates/emails"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The newest change of an email's files."""

    day: date
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailFigures:
    """Messages of one email, of each variant where it has some; one counts once in a column, however often clicked."""

    email: str
    #: Of an email that went out in some; '' for one that did not.
    variant: str
    sent: int
    delivered: int
    #: By a human, as the click rules judge.
    clicked: int
    replied: int
    #: Reached a further stage, or became prospect or customer, within 14 days.
    moved_on: int
    unsubscribed: int
    #: Since when its text is in use; None when no sweep has used it.
    in_use_since: datetime | None = None


def email_figures(session: Session, playbook: Playbook, period: Period) -> list[EmailFigures]:
    """The emails sent in the period, the most frequent first; in two statements."""
    sent = sent_mails(period)
    signs = _signs(sent, [stage.name for stage in playbook.journey.stages])
    counts = [func.count(distinct(case((signs.c.sign == sign, signs.c.message_id)))).label(sign) for sign in _SIGNS]
    arrived = func.count(distinct(case((sent.c.delivery.in_(ARRIVED), sent.c.id))))
    query = (
        select(
            sent.c.email,
            sent.c.variant,
            func.count(distinct(sent.c.id)).label("sent"),
            arrived.label("delivered"),
            *counts,
        )
        .outerjoin(signs, signs.c.message_id == sent.c.id)
        .group_by(sent.c.email, sent.c.variant)
    )
    edited = _in_use(session, playbook)
    rows = session.execute(query).mappings().all()
    total, plain = Counter[str](), dict.fromkeys((row["email"] for row in rows), "")
    for row in rows:
        total[row["email"]] += row["sent"]
        plain |= {row["email"]: ORIGINAL} if row["variant"] else {}
    found = [
        EmailFigures(**{**row, "variant": row["variant"] or plain[row["email"]]}, in_use_since=edited.get(row["email"]))
        for row in rows
    ]
    return sorted(found, key=lambda one: (-total[one.email], one.email, -one.sent, one.variant))


_SIGNS = ("clicked", "replied", "moved_on", "unsubscribed")


def sent_mails(period: Period) -> CTE:
    """The messages sent in the period."""
    columns = ("id", "lead_id", "email", "variant", "delivery", "sent_at")
    inside = [message.c.state.in_(SENT), message.c.sent_at.is_not(None), *period.holds(message.c.sent_at)]
    return select(*(message.c[name] for name in columns)).where(*inside).cte("sent")


def clicked_by_people() -> Select[Any]:
    """The messages a human clicked in."""
    return select(event.c.message_id).where(
        event.c.kind == "email_clicked", event.c.weight >= FULL_WEIGHT, event.c.message_id.is_not(None)
    )


def unsubscribed_from() -> Select[Any]:
    """The messages somebody unsubscribed from or complained of: as the provider says, or the last before the no."""
    said = select(message.c.id).where(message.c.delivery.in_([Delivery.UNSUBSCRIBED, Delivery.COMPLAINED]))
    no = select(consent.c.id, consent.c.lead_id, consent.c.at).where(consent.c.state == "withdrawn").subquery("no")
    both = union(said, _last_mail_before(no)).subquery("nos")
    return select(both.c.id)


def _signs(sent: CTE, stages: Sequence[str]) -> Any:
    """(message, sign) for everything that came of a sent mail; a pair may stand there more than once."""
    replied = event.c.kind == "email_replied"
    named = select(event.c.message_id.label("id")).where(replied, event.c.message_id.is_not(None))
    at = event.c.occurred_at.label("at")
    unnamed = select(event.c.id, event.c.lead_id, at).where(replied, event.c.message_id.is_(None)).subquery("unnamed")
    of_sent = {
        "clicked": clicked_by_people(),
        "replied": union(named, _last_mail_before(unnamed)),
        "unsubscribed": unsubscribed_from(),
    }
    rows = [
        select(sent.c.id.label("message_id"), literal(sign).label("sign")).where(sent.c.id.in_(which))
        for sign, which in of_sent.items()
    ]
    return union_all(*rows, _moved_on(sent, stages)).subquery("signs")


def _last_mail_before(told: Any) -> Select[Any]:
    """For each row (id, lead_id, at): the mail its person was sent last, at most 14 days before."""
    sent_at, at = type_coerce(message.c.sent_at, BigInteger), type_coerce(told.c.at, BigInteger)
    place = func.row_number().over(partition_by=told.c.id, order_by=[sent_at.desc(), message.c.id.desc()])
    rows = (
        select(message.c.id, place.label("place"))
        .join(told, told.c.lead_id == message.c.lead_id)
        .where(message.c.state.in_(SENT), sent_at <= at, sent_at > at - SOON)
        .subquery()
    )
    return select(rows.c.id).where(rows.c.place == 1)


def _moved_on(sent: CTE, stages: Sequence[str]) -> Select[Any]:
    """The sent mails whose reader went further within 14 days."""
    places = {stage: place for place, stage in enumerate(stages)}
    before, after = (
        case(*((column == stage, place) for stage, place in places.items()), else_=-1)
        for column in (stage_change.c.before, stage_change.c.after)
    )
    staged = select(stage_change.c.lead_id, stage_change.c.at.label("at")).where(after > before)
    lives = select(lifecycle_change.c.lead_id, lifecycle_change.c.effective_at.label("at")).where(
        lifecycle_change.c.after.in_([Lifecycle.PROSPECT, Lifecycle.CUSTOMER])
    )
    steps = union_all(staged, lives).subquery("steps")
    at, sent_at = type_coerce(steps.c.at, BigInteger), type_coerce(sent.c.sent_at, BigInteger)
    soon: ColumnElement[bool] = and_(at > sent_at, at <= sent_at + SOON)
    return select(sent.c.id.label("message_id"), literal("moved_on").label("sign")).join(
        steps, and_(steps.c.lead_id == sent.c.lead_id, soon)
    )


def _in_use(session: Session, playbook: Playbook) -> Mapping[str, datetime]:
    """Email → when sweeps first used the files it has today, without a break since."""
    query = select(playbook_version.c.files, playbook_version.c.first_used_at)
    newest_first = session.execute(query.order_by(playbook_version.c.first_used_at.desc())).all()
    today = {path: hashlib.sha256(content).hexdigest() for path, content in playbook.files.items()}
    found: dict[str, datetime] = {}
    for name in playbook.emails:
        mine = _of(name, today)
        for version in newest_first:
            if _of(name, version.files) != mine:
                break
            found[name] = version.first_used_at
    return found


def _of(name: str, files: Mapping[str, str]) -> Mapping[str, str]:
    return {path: digest for path, digest in files.items() if path.startswith(f"{FOLDER}/{name}/")}

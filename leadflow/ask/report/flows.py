"""What the report's pictures show: how far people came and where they went on, mails a week, clocks of hand-overs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, case, func, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.ask.report.emails import ARRIVED, clicked_by_people, sent_mails, unsubscribed_from
from leadflow.ask.report.period import Period, week_bounds
from leadflow.ask.report.reached import Question, reached
from leadflow.models import lead, lead_state
from leadflow.types import Delivery, Lifecycle

#: A picture of more weeks than this shows the last ones.
MOST_WEEKS = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """People by place and by what they went on to; a place's people = those who went on + those still there."""

    #: Steps in order: the first stage, the others, prospect, customer; last `disqualified`.
    places: tuple[str, ...]
    people: tuple[int, ...]
    #: (from, to) → people, by place number.
    moves: Mapping[tuple[int, int], int]

    def still_in(self, place: int) -> int:
        """People who came no further than this place."""
        return self.people[place] - sum(n for (start, _end), n in self.moves.items() if start == place)


def stage_flow(session: Session, question: Question) -> Flow | None:
    """Each person of the period once, along the steps they ever reached; None when there is nobody."""
    people = reached(session, question)
    if people is None:
        return None
    ways = [case((people.c[step].is_not(None), 1), else_=0).label(step) for step in question.steps]
    query = select(*ways, people.c.disqualified, func.count().label("n")).group_by(*ways, people.c.disqualified)
    moves: Counter[tuple[int, int]] = Counter()
    counts: Counter[int] = Counter()
    out = len(question.steps) + 1
    for *went, disqualified, n in session.execute(query):
        way = [0, *(place for place, there in enumerate(went, start=1) if there)]
        # Sales may have sold to somebody they had turned down: a customer is one.
        if disqualified and way[-1] != out - 1:
            way.append(out)
        counts.update(dict.fromkeys(way, n))
        moves.update(dict.fromkeys(pairwise(way), n))
    if not counts:
        return None
    places = (*question.stages, Lifecycle.PROSPECT, Lifecycle.CUSTOMER, Lifecycle.DISQUALIFIED)
    return Flow(places=places, people=tuple(counts[place] for place in range(out + 1)), moves=dict(moves))


def standing(session: Session, period: Period) -> Mapping[tuple[str, str], int]:
    """(lifecycle, stage) → people of the period, as they stand now; customers and disqualified under stage ''."""
    columns = lead_state.c.lifecycle, lead_state.c.stage
    query = select(*columns, func.count()).join(lead, lead.c.id == lead_state.c.lead_id)
    counts: Counter[tuple[str, str]] = Counter()
    for life, stage, n in session.execute(query.where(*period.holds(lead.c.first_seen_at)).group_by(*columns)):
        counts[life, stage if life in (Lifecycle.LEAD, Lifecycle.PROSPECT) else ""] += n
    return dict(counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Mails sent in one week of the office: sent = clicked + unclicked + bounced + silent."""

    monday: date
    sent: int
    #: Delivered and clicked by a human; delivered and not clicked.
    clicked: int
    unclicked: int
    #: Bounced or blocked; and those of which nothing is known yet.
    bounced: int
    silent: int
    unsubscribed: int


def weekly_mails(session: Session, period: Period, zone: ZoneInfo) -> list[Week]:
    """The last weeks in which something was sent, empty ones between them included; in two statements."""
    sent = sent_mails(period)
    first, last = session.execute(select(func.min(sent.c.sent_at), func.max(sent.c.sent_at))).one()
    if first is None:
        return []
    first = max(first, last - timedelta(weeks=MOST_WEEKS - 1))
    weeks = week_bounds(first, last, zone)
    at = type_coerce(sent.c.sent_at, BigInteger)
    number = case(*((at < after, place) for place, (_monday, _start, after) in enumerate(weeks)))
    clicked = sent.c.id.in_(clicked_by_people())
    bounced = sent.c.delivery.in_([Delivery.BOUNCED, Delivery.BLOCKED])
    fate = case((clicked, "clicked"), (sent.c.delivery.in_(ARRIVED), "unclicked"), (bounced, "bounced"), else_="silent")
    gone = case((sent.c.id.in_(unsubscribed_from()), 1), else_=0)
    rows = select(number.label("week"), fate.label("fate"), gone.label("gone")).where(at >= weeks[0][1]).subquery()
    query = select(rows.c.week, rows.c.fate, func.count(), func.sum(rows.c.gone)).group_by(rows.c.week, rows.c.fate)
    counts: list[Counter[str]] = [Counter() for _week in weeks]
    for place, word, n, unsubscribed in session.execute(query):
        counts[place].update({word: n, "sent": n, "unsubscribed": int(unsubscribed)})
    fates = ("sent", "clicked", "unclicked", "bounced", "silent", "unsubscribed")
    return [
        Week(monday=monday, **{name: found[name] for name in fates})
        for (monday, _start, _after), found in zip(weeks, counts, strict=True)
    ]

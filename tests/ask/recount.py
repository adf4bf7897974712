"""The report counted again in plain Python, row by row, by somebody who never saw its SQL."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from tests.ask.report_world import NOW, STAGES, Rows, midnight

PARIS = ZoneInfo("Europe/Paris")
SOON = timedelta(days=14)
Row = Mapping[str, Any]


def inside(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at < until)


def of(rows: Rows, table: str, lead_id: int) -> list[Row]:
    return [row for row in rows[table] if row["lead_id"] == lead_id]


def first(times: Iterator[datetime]) -> datetime | None:
    return min(times, default=None)


class Life:
    """One person, as far as a funnel asks."""

    def __init__(self, rows: Rows, lead: Row, age: int | None) -> None:
        self.seen: datetime = lead["first_seen_at"]
        self.state = of(rows, "lead_state", lead["id"])[0]
        moves, lives = of(rows, "stage_change", lead["id"]), of(rows, "lifecycle_change", lead["id"])
        steps = [
            *(first(m["at"] for m in moves if m["after"] in STAGES[place:]) for place in (1, 2)),
            *(first(x["effective_at"] for x in lives if x["after"] == to) for to in ("prospect", "customer")),
        ]

        def counts(at: datetime | None) -> bool:
            return at is not None and (age is None or at - self.seen <= timedelta(days=age))

        self.steps = [at if counts(at) else None for at in steps]
        sold = [d for d in of(rows, "deal", lead["id"]) if d["state"] == "won"]
        told = [e for e in of(rows, "escalation", lead["id"]) if e["state"] == "won"]
        amounts = [d["amount"] for d in sold if d["amount"] and counts(d["closed_at"] or d["updated_at"])]
        said = [e["amount"] for e in told if e["amount"] and counts(e["closed_at"])]
        self.amount = sum(amounts) if amounts else sum(said)
        given = sorted((e["number"], e["rep"]) for e in of(rows, "escalation", lead["id"]) if e["rep"])
        owners = {row["id"]: row["owner"] for row in rows["account"]}
        self.groups = {
            "source": lead["source"],
            "month": f"{self.seen.astimezone(PARIS):%Y-%m}",
            "segment": self.state["segment_main"],
            "owner": given[-1][1] if given else owners.get(lead["account_id"]),
        }


def lives(rows: Rows, since: datetime | None, until: datetime | None, age: int | None) -> list[Life]:
    found = [Life(rows, lead, age) for lead in rows["lead"] if inside(lead["first_seen_at"], since, until)]
    return [life for life in found if age is None or life.seen <= NOW - timedelta(days=age)]


def days(spans: list[timedelta]) -> float | None:
    return median(span / timedelta(days=1) for span in spans) if spans else None


def cohort(people: Sequence[Life]) -> dict[str, Any]:
    """All numbers of one line of the funnel."""
    reached = [sum(life.steps[i] is not None for life in people) for i in range(4)]
    between = []
    for i in range(4):
        ways = [((life.seen, *life.steps)[i], life.steps[i]) for life in people]
        between.append(days([end - start for start, end in ways if start and end]))
    took = {i: [life.steps[i] - life.seen for life in people if life.steps[i]] for i in (2, 3)}  # type: ignore[operator]
    return {
        "people": len(people),
        "stages": (reached[0], reached[1]),
        "prospects": reached[2],
        "customers": reached[3],
        "amount": sum(life.amount for life in people),
        "days_to_prospect": days(took[2]),
        "days_to_customer": days(took[3]),
        "days_between": tuple(between),
        "won_before": sum(span < timedelta() for span in took[3]),
        "won_late": sum(span > timedelta(days=90) for span in took[3]),
    }


def moves(people: Sequence[Life]) -> tuple[Counter[int], Counter[tuple[int, int]]]:
    """How many stood at each place of the flow, and how many went from one to another."""
    stood: Counter[int] = Counter()
    went: Counter[tuple[int, int]] = Counter()
    for life in people:
        way = [0] + [i + 1 for i in range(4) if life.steps[i]]
        if life.state["lifecycle"] == "disqualified" and way[-1] != 4:
            way.append(5)
        for place in way:
            stood[place] += 1
        for start, end in pairwise(way):
            went[start, end] += 1
    return stood, went


class Mail:
    """One mail that was sent, and what came of it."""

    def __init__(self, rows: Rows, row: Row) -> None:
        self.row, self.sent_at = row, row["sent_at"]
        mine = [e for e in rows["event"] if e["message_id"] == row["id"]]
        self.delivered = row["delivery"] in ("delivered", "unsubscribed", "complained")
        self.clicked = any(e["kind"] == "email_clicked" and e["weight"] >= 100 for e in mine)
        unnamed = [e for e in of(rows, "event", row["lead_id"]) if e["message_id"] is None]
        replies = [e["occurred_at"] for e in unnamed if e["kind"] == "email_replied"]
        self.replied = any(e["kind"] == "email_replied" for e in mine) or self._last_before(rows, replies)
        noes = [c["at"] for c in of(rows, "consent", row["lead_id"]) if c["state"] == "withdrawn"]
        self.unsubscribed = row["delivery"] in ("unsubscribed", "complained") or self._last_before(rows, noes)
        self.moved_on = any(timedelta() < at - self.sent_at <= SOON for at in _steps(rows, row["lead_id"]))

    def _last_before(self, rows: Rows, instants: list[datetime]) -> bool:
        mails = [m for m in of(rows, "message", self.row["lead_id"]) if m["state"] in ("accepted", "unknown")]
        for at in instants:
            before = [(m["sent_at"], m["id"]) for m in mails if at - SOON < m["sent_at"] <= at]
            if before and max(before) == (self.sent_at, self.row["id"]):
                return True
        return False


def _steps(rows: Rows, lead_id: int) -> Iterator[datetime]:
    order = {stage: place for place, stage in enumerate(STAGES)}
    for move in of(rows, "stage_change", lead_id):
        if order.get(move["after"], -1) > order.get(move["before"], -1):
            yield move["at"]
    for life in of(rows, "lifecycle_change", lead_id):
        if life["after"] in ("prospect", "customer"):
            yield life["effective_at"]


def mails(rows: Rows, since: datetime | None, until: datetime | None) -> list[Mail]:
    sent = [m for m in rows["message"] if m["state"] in ("accepted", "unknown")]
    return [Mail(rows, m) for m in sent if inside(m["sent_at"], since, until)]


def email(found: Sequence[Mail]) -> dict[str, int]:
    """All numbers of one line of the emails."""
    signs = ("delivered", "clicked", "replied", "moved_on", "unsubscribed")
    return {"sent": len(found)} | {sign: sum(getattr(mail, sign) for mail in found) for sign in signs}


def by_email(found: Sequence[Mail]) -> dict[tuple[str, str], dict[str, int]]:
    """(email, variant) → its line; an email that went out in one text has no variant."""
    varied = {mail.row["email"] for mail in found if mail.row["variant"]}
    groups: dict[tuple[str, str], list[Mail]] = {}
    for mail in found:
        name = mail.row["email"]
        groups.setdefault((name, mail.row["variant"] or ("original" if name in varied else "")), []).append(mail)
    return {text: email(group) for text, group in groups.items()}


def week(found: Sequence[Mail]) -> dict[str, int]:
    """What became of a week's mails: each in one column, and who unsubscribed."""
    fates: Counter[str] = Counter()
    for mail in found:
        failed = mail.row["delivery"] in ("bounced", "blocked")
        fate = "unclicked" if mail.delivered else "bounced" if failed else "silent"
        fates["clicked" if mail.clicked else fate] += 1
    names = ("clicked", "unclicked", "bounced", "silent")
    gone = {"sent": len(found), "unsubscribed": sum(mail.unsubscribed for mail in found)}
    return gone | {name: fates[name] for name in names}


#: Public holidays of France between November 2025 and June 2026.
_HOLIDAYS = ("12-25", "01-01", "05-01", "05-08")
_MOVABLE = ("2026-04-06", "2026-05-14", "2026-05-25")


def open_minutes(start: datetime, end: datetime) -> float:
    """Minutes of Monday to Friday, nine to five in Paris, French holidays of that winter left out."""
    total, day = timedelta(), start.astimezone(PARIS).date()
    while day <= end.astimezone(PARIS).date():
        closed = f"{day:%m-%d}" in _HOLIDAYS or f"{day:%Y-%m-%d}" in _MOVABLE
        if day.weekday() < 5 and not closed:
            opens = midnight(day, PARIS).astimezone(PARIS).replace(hour=9)
            total += max(min(opens.replace(hour=17), end) - max(opens, start), timedelta())
        day += timedelta(days=1)
    return total / timedelta(minutes=1)


def rep(given: Sequence[Row]) -> dict[str, Any]:
    """All numbers of one line of the salespeople."""
    states = Counter(row["state"] for row in given)
    late = [row for row in given if row["state"] == "waiting" and row["due_at"] <= NOW]
    answered = [row for row in given if row["answered_at"]]
    took = [open_minutes(row["opened_at"], row["answered_at"]) for row in answered]
    rejected = [row for row in given if row["state"] == "rejected"]
    rules = {row["rule"] for row in rejected}
    silent = [row for row in given if not row["answered_at"]]
    clock = {
        "in_time": sum(row["answered_at"] <= row["due_at"] for row in answered),
        "after_time": sum(row["answered_at"] > row["due_at"] for row in answered),
        "waiting": sum(row["state"] == "waiting" and row["due_at"] > NOW for row in silent),
        "late": sum(row["state"] == "waiting" and row["due_at"] <= NOW for row in silent),
        "silent": sum(row["state"] != "waiting" for row in silent),
    }
    return {
        "given": len(given),
        "accepted": sum(states[s] for s in ("accepted", "later", "won", "lost")),
        "rejected": len(rejected),
        "waiting": states["waiting"] - len(late),
        "late": len(late),
        "lapsed": states["lapsed"],
        "won": states["won"],
        "amount": sum(row["amount"] or 0 for row in given if row["state"] == "won"),
        "clock": clock,
        "minutes": median(took) if took else None,
        "why_rejected": dict(Counter(row["answer_reason"] for row in rejected)),
        "telling_rule": next(iter(rules)) if len(rules) == 1 and len(rejected) >= 3 else None,
    }


def odd(rows: Rows) -> set[tuple[str, int]]:
    """(oddity, lead) for everybody about whom something is odd."""
    found = set()
    for lead in rows["lead"]:
        n, seen = lead["id"], lead["first_seen_at"]
        bought = [x["effective_at"] for x in of(rows, "lifecycle_change", n) if x["after"] == "customer"]
        sold = any(r["state"] == "won" for t in ("deal", "escalation") for r in of(rows, t, n))
        customer = of(rows, "lead_state", n)[0]["lifecycle"] == "customer"
        tests = {
            "won_before_contact": bool(bought) and min(bought) < seen,
            "act_before_contact": any(e["weight"] > 0 and e["occurred_at"] < seen for e in of(rows, "event", n)),
            "contact_to_come": seen > NOW,
            "customer_without_sale": bool(bought) and customer and not sold,
            "sale_without_customer": sold and not customer,
        }
        found |= {(name, n) for name, holds in tests.items() if holds}
    return found

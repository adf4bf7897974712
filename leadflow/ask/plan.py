"""What a sweep planned: by email, language and hour; read inside a transaction that is rolled back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.ask.section import weekday
from leadflow.eligibility import Tonight, tonight
from leadflow.models import escalation, message
from leadflow.playbook.model import Playbook
from leadflow.types import MessageState, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEmail:
    """One email of the plan; hours are office time."""

    email: str
    by_language: Mapping[str, int]
    first: datetime
    last: datetime

    @property
    def total(self) -> int:
        """Messages in all languages."""
        return sum(self.by_language.values())

    @property
    def hours(self) -> str:
        """`09:00–12:00`, with the day where that is not the same."""
        until = "" if self.first.date() == self.last.date() else f"{weekday(self.last)} "
        return f"{weekday(self.first)} {self.first:%H:%M}–{until}{self.last:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The night as it would be."""

    lines: tuple[PlannedEmail, ...]
    languages: tuple[str, ...]
    tonight: Tonight
    #: Salesperson → new hand-overs.
    handovers: Mapping[str, int]

    @property
    def totals(self) -> tuple[int, ...]:
        """Messages by language, in the order of `languages`."""
        return tuple(sum(line.by_language.get(language, 0) for line in self.lines) for language in self.languages)


def planned_mails(session: Session, playbook: Playbook, now: datetime) -> Plan:
    """What the sweep at `now` planned, the most frequent email first."""
    query = (
        select(
            message.c.email,
            message.c.language,
            func.count().label("n"),
            func.min(message.c.send_at).label("first"),
            func.max(message.c.send_at).label("last"),
        )
        .where(message.c.planned_at == micros(now), message.c.state == MessageState.PLANNED)
        .group_by(message.c.email, message.c.language)
    )
    zone = ZoneInfo(playbook.office.zone)
    found: dict[str, list[tuple[str, int, datetime, datetime]]] = {}
    for row in session.execute(query):
        found.setdefault(row.email, []).append(
            (row.language, row.n, row.first.astimezone(zone), row.last.astimezone(zone))
        )
    lines = [
        PlannedEmail(
            email=email,
            by_language={language: n for language, n, _, _ in rows},
            first=min(first for _, _, first, _ in rows),
            last=max(last for _, _, _, last in rows),
        )
        for email, rows in found.items()
    ]
    given = select(escalation.c.rep, func.count()).where(escalation.c.opened_at == micros(now))
    return Plan(
        lines=tuple(sorted(lines, key=lambda line: (-line.total, line.email))),
        languages=playbook.brand.languages,
        tonight=tonight(session, playbook, now),
        handovers={rep: int(n) for rep, n in session.execute(given.group_by(escalation.c.rep))},
    )

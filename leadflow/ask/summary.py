"""The night in numbers: the artifact `nightly-summary`, aggregates only, no address and no company."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from leadflow.ask import night_words
from leadflow.ask.night import Night, read_night
from leadflow.ask.night_counts import BOUNCES_BELOW, COMPARED, COMPLAINTS_BELOW, WATCHED, Compared
from leadflow.ask.section import weekday
from leadflow.ask.words import reason_words
from leadflow.conditions.dates import day_words
from leadflow.models import message
from leadflow.playbook.model import Playbook
from leadflow.text import _, decimal, ngettext
from leadflow.types import Outcome, Phase, micros

_NUMBER = re.compile(r"[\d.,–< ]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What only the driver of a sweep knows of it."""

    outcomes: Sequence[Outcome] = ()
    #: By phase.
    seconds: Mapping[Phase, float] | None = None
    #: How often the night was begun.
    attempt: int = 1
    #: Rules found broken, in words.
    broken: Sequence[str] = ()
    #: What the brake says, when it holds the night.
    held: str = ""
    #: What readers, or their mailbox providers, have stopped or soon will, in words.
    stopped: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The page, and how many of its lines need a human."""

    markdown: str
    warnings: int


def nightly_summary(session: Session, playbook: Playbook, now: datetime, run: Run) -> Summary:
    """One line that adds up, then phases, what is usual, reasons, sequences, salespeople, and what needs a human."""
    night, zone = read_night(session, playbook, now), ZoneInfo(playbook.office.zone)
    warnings = (*run.stopped, *night_words.warnings(night, now, zone))
    blocks = [
        f"**{_sign(run)} {_heading(night, playbook, now, run)}**",
        *(f"❌ {_('invariant: {words}').format(words=line)}" for line in run.broken),
        f"⏸ {run.held}" if run.held else "",
        _headline(night, len(run.broken)),
        _phases(night, run, zone),
        _compared(night),
        _reasons(night, now, zone),
        _sequences(night),
        _sales(night),
        _emails(session, now),
        _needs(warnings),
    ]
    return Summary(markdown="\n\n".join(block for block in blocks if block), warnings=len(warnings))


def _sign(run: Run) -> str:
    return "❌" if run.broken else "⏸" if run.held else "✅"


def _heading(night: Night, playbook: Playbook, now: datetime, run: Run) -> str:
    zone = ZoneInfo(playbook.office.zone)
    local = now.astimezone(zone)
    words = [
        _("Night of {night}").format(night=f"{weekday(local)} {day_words(local.date(), local.date())} {local.year}"),
        _("playbook {version}").format(version=playbook.short),
    ]
    if night.playbook_since is not None and night.playbook_since < now:
        first = day_words(night.playbook_since.astimezone(zone).date(), local.date())
        words[-1] += " " + _("(unchanged since {date})").format(date=first)
    if run.seconds:
        words.append(f"{sum(run.seconds.values()):.0f} s")
    attempt = _("first attempt of the day") if run.attempt == 1 else _("attempt {n} of the day").format(n=run.attempt)
    return " · ".join([*words, attempt])


def _headline(night: Night, broken: int) -> str:
    without = night.people - night.mailed
    cells = [
        _("{n} people").format(n=night.people),
        ngettext("{n} mail planned", "{n} mails planned", night.mailed).format(n=night.mailed),
        _("{n} without, all with a reason").format(n=without),
        _("{n} to sales").format(n=night.handovers.tonight),
        _("{n} unknown").format(n=night.unknown),
        _("{n} invariants broken").format(n=broken),
        f"{night.mailed} + {without} = {night.people} ✓",
    ]
    return " · ".join(cells)


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Numbers to the right, words to the left; nothing of no rows, which Prefect's page would show as a speck."""
    if not rows:
        return ""
    cells = [[str(cell) for cell in row] for row in rows]
    numbers = [all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*cells, strict=True)]
    rule = ["---:" if number else "---" for number in numbers]
    return "\n".join("| " + " | ".join(line) + " |" for line in [heads, rule, *cells])


def _phases(night: Night, run: Run, zone: ZoneInfo) -> str:
    heads = [_("phase"), _("read"), _("changed"), _("s"), _("counts")]
    seconds = run.seconds or {}
    rows = []
    for outcome in run.outcomes:
        took = decimal(seconds[outcome.phase]) if outcome.phase in seconds else "–"
        told = night_words.counted(outcome.counts)
        if outcome.phase is Phase.DELIVER and not outcome.read and night.starts is not None:
            starts = _("starts {time}").format(
                time=f"{weekday(night.starts.astimezone(zone))} {night.starts.astimezone(zone):%H:%M}"
            )
            told = f"{starts} · {told}" if told else starts
        rows.append((outcome.phase, outcome.read, outcome.changed, took, told))
    return _table(heads, rows)


def _compared(night: Night) -> str:
    rows = [
        (_("mails planned"), night.mails.tonight, _usual(night.mails)),
        (_("hand-overs"), night.handovers.tonight, _usual(night.handovers)),
        (_("unsubscribes"), night.unsubscribes.tonight, _usual(night.unsubscribes)),
        (_("bounces per 1,000 ({n} days)").format(n=WATCHED), _rate(night.bounces), f"< {BOUNCES_BELOW}"),
        (_("complaints per 1,000 ({n} days)").format(n=WATCHED), _rate(night.complaints), f"< {COMPLAINTS_BELOW}"),
        (_("hand-overs late"), night.late, "0"),
    ]
    return _table([_("compared with the last {n} nights").format(n=COMPARED), _("tonight"), _("usual")], rows)


def _usual(numbers: Compared) -> str:
    if numbers.usual is None:
        return "–"
    low, high = numbers.usual
    return str(low) if low == high else f"{low}–{high}"


def _rate(share: float | None) -> str:
    return "–" if share is None else decimal(share)


def _reasons(night: Night, now: datetime, zone: ZoneInfo) -> str:
    rows: list[Sequence[object]] = [
        (reason_words(one.reason), one.people, night_words.since(one, now, zone), night_words.lifts(one, now, zone))
        for one in night.without
    ]
    rows.append((_("total"), night.people - night.mailed, "", ""))
    return _table([_("why no mail"), _("people"), _("since"), _("lifts")], rows)


def _sequences(night: Night) -> str:
    heads = [_("sequence"), _("in it"), _("tonight"), _("paused"), _("finished"), _("due in 7 days")]
    rows = [(one.sequence, one.live, one.sent, one.paused, one.finished, one.week) for one in night.sequences]
    return _table(heads, rows)


def _sales(night: Night) -> str:
    heads = [_("salesperson"), _("given"), _("waiting"), _("late"), _("today's limit")]
    rows = []
    for one in night.sales:
        limit = "–" if one.limit is None else _("{n} of {limit}").format(n=one.today, limit=one.limit)
        rows.append((one.rep or "–", one.given, one.waiting, one.late, limit))
    return _table(heads, rows)


def _emails(session: Session, now: datetime) -> str:
    query: Select[tuple[str, str, int]] = (
        select(message.c.email, message.c.language, func.count())
        .where(message.c.planned_at == micros(now))
        .group_by(message.c.email, message.c.language)
        .order_by(message.c.email, message.c.language)
    )
    rows = [(row[0], row[1], row[2]) for row in session.execute(query)]
    return _table([_("email"), _("language"), _("planned")], rows)


def _needs(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    return "\n".join([f"**{_('NEEDS A HUMAN')}**", "", *(f"- ⚠ {line}" for line in warnings)])

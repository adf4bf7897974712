"""A plan and a change as people and machines read them: a screen, Markdown for a pull request, JSON."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.table import Table

from leadflow.ask.change_words import Line, heading, lines_of, moves_of
from leadflow.ask.section import weekday
from leadflow.ask.words import reason_words
from leadflow.cli.common import console
from leadflow.conditions.dates import day_words
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.ask.compare import Change
    from leadflow.ask.plan import Deferred, Foresight
    from leadflow.playbook.model import Playbook


def show_plan(playbook: "Playbook", found: "Foresight", now: datetime) -> None:
    """The plan of a night on the terminal."""
    console.print(_title(playbook, now), style="bold", markup=False)
    console.print(_table(playbook, found))
    for line in _around(playbook, found, now):
        console.print(f"  {line}", markup=False, style="yellow" if line.startswith("⚠") else None)


def plan_markdown(playbook: "Playbook", found: "Foresight", now: datetime) -> str:
    """The same for a pull request or a chat."""
    heads = [_("email"), *found.plan.languages, _("total"), _hours(playbook)]
    rows = [heads, ["---", *["---:"] * (len(heads) - 2), "---"], *_rows(found)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    lines = [f"- {line}" for line in _around(playbook, found, now)]
    return "\n".join([f"**{_title(playbook, now)}**", "", table, "", *lines])


def plan_json(playbook: "Playbook", found: "Foresight", now: datetime) -> str:
    """The same for machines: numbers, no sentence."""
    tonight, usual = found.plan.tonight, found.usual
    return _dumped(
        {
            "at": now.isoformat(),
            "playbook": playbook.version,
            "people": tonight.people,
            "mails": tonight.mailed,
            "skipped": {str(reason): n for reason, n in tonight.skipped.items()},
            "emails": [
                {
                    "email": line.email,
                    "by_language": dict(line.by_language),
                    "first": line.first.isoformat(),
                    "last": line.last.isoformat(),
                }
                for line in found.plan.lines
            ],
            "by_stage": dict(found.by_stage),
            "usual": {"low": usual.low, "high": usual.high} if usual else None,
            "deferred": {str(one.reason): one.people for one in found.deferred},
            "hand_overs": [{"rep": s.rep, "given": s.given, "today": s.today, "limit": s.limit} for s in found.sales],
            "dry": [
                {"cell": cell.name, "people": cell.people, "first": cell.first.isoformat() if cell.first else None}
                for cell in found.dry
            ],
            "unreadable": [{"email": u.email, "language": u.language, "people": u.people} for u in found.unreadable],
        }
    )


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _day(at: datetime, playbook: "Playbook", now: datetime) -> str:
    zone = ZoneInfo(playbook.office.zone)
    return day_words(at.astimezone(zone).date(), now.astimezone(zone).date())


def _title(playbook: "Playbook", now: datetime) -> str:
    local = now.astimezone(ZoneInfo(playbook.office.zone))
    told = _("PLAN for {day} · playbook {playbook} · nothing is written, nothing leaves")
    return told.format(day=f"{weekday(local)} {_day(now, playbook, now)}", playbook=playbook.short)


def _hours(playbook: "Playbook") -> str:
    return _("hours ({zone})").format(zone=playbook.office.zone.rpartition("/")[2].replace("_", " "))


def _rows(found: "Foresight") -> Iterator[list[str]]:
    plan = found.plan
    for line in plan.lines:
        yield [line.email, *(str(line.by_language.get(one, 0)) for one in plan.languages), str(line.total), line.hours]
    yield [_("total"), *map(str, plan.totals), str(sum(plan.totals)), ""]


def _table(playbook: "Playbook", found: "Foresight") -> Table:
    table = Table(box=None, header_style="bold", pad_edge=True)
    table.add_column(_("email"))
    for name in (*found.plan.languages, _("total")):
        table.add_column(name, justify="right")
    table.add_column(_hours(playbook))
    *rows, total = _rows(found)
    for row in rows:
        table.add_row(*row)
    table.add_row(*total, style="bold")
    return table


def _around(playbook: "Playbook", found: "Foresight", now: datetime) -> Iterator[str]:
    """What stands beside the table: stages, what is usual, sales, who waits, what runs dry, who gets nothing."""
    yield "   ".join(f"{stage} {n}" for stage, n in found.by_stage.items())
    yield _usual(playbook, found, now)
    yield _sales(found)
    if found.deferred:
        waiting = ", ".join(_deferred(one, playbook, now) for one in found.deferred)
        n = sum(one.people for one in found.deferred)
        yield _("deferred {n}: {reasons}").format(n=n, reasons=waiting)
    for cell in found.dry:
        told = ngettext("⚠ runs dry: {cell} ({n} person)", "⚠ runs dry: {cell} ({n} people)", cell.people)
        when = " " + _("on {date}").format(date=_day(cell.first, playbook, now)) if cell.first else ""
        yield told.format(cell=f"{cell.name}{when}", n=cell.people)
    for one in found.unreadable:
        told = ngettext(
            "⚠ not written in their language: {cell} ({n} person)",
            "⚠ not written in their language: {cell} ({n} people)",
            one.people,
        )
        yield told.format(cell=one.name, n=one.people)
    yield _nothing(found)


def _usual(playbook: "Playbook", found: "Foresight", now: datetime) -> str:
    day, usual = weekday(now.astimezone(ZoneInfo(playbook.office.zone))), found.usual
    if usual is None:
        return _("usual {day}: not known before two of them were lived").format(day=day)
    verdict = _("normal") if usual.covers(sum(found.plan.totals)) else _("unusual")
    return _("usual {day}: {low}–{high} → {verdict}").format(day=day, low=usual.low, high=usual.high, verdict=verdict)


def _sales(found: "Foresight") -> str:
    given = sum(share.given for share in found.sales)
    told = ngettext("sales: {n} hand-over", "sales: {n} hand-overs", given).format(n=given)
    of = ", ".join(
        _("{rep} {n} of {limit}").format(rep=share.rep, n=share.today, limit=share.limit)
        if share.limit is not None
        else f"{share.rep} {share.today}"
        for share in found.sales
    )
    return f"{told} ({of})" if of else told


def _deferred(one: "Deferred", playbook: "Playbook", now: datetime) -> str:
    days = ", ".join(dict.fromkeys(_day(day, playbook, now) for day in one.days))
    return f"{reason_words(one.reason)} {one.people}" + (f" (→ {days})" if days else "")


def _nothing(found: "Foresight") -> str:
    skipped = sorted(found.plan.tonight.skipped.items(), key=lambda item: (-item[1], item[0]))
    n = sum(count for _reason, count in skipped)
    told = ngettext(
        "{n} person gets nothing, and there is a reason:", "{n} people get nothing, and each has a reason:", n
    )
    return " ".join([told.format(n=n), " · ".join(f"{count} {reason_words(reason)}" for reason, count in skipped)])


def show_change(playbook: "Playbook", found: "Change", now: datetime) -> None:
    """What a change would do, on the terminal."""
    console.print(heading(found), style="bold", markup=False)
    subject = ""
    for line in lines_of(found):
        first = line.subject if line.subject != subject else ""
        subject = line.subject
        mark = f"✗ {line.text}   ← {_('look at this before you merge')}" if line.look else line.text
        console.print(f"  {first:<10}{mark}", markup=False, soft_wrap=True, style="red" if line.look else None)
    console.print(f"  {_scope(playbook, found, now)}", markup=False, style="dim")


def change_markdown(playbook: "Playbook", found: "Change", ref: str, now: datetime) -> str:
    """The same for a comment on a pull request."""
    lines = lines_of(found)
    looks = [line for line in lines if line.look]
    verdict = _("look at this before you merge") if looks else _("nothing to look at before merging")
    title = _("Plan against {ref}").format(ref=ref)
    rows = ["| | |", "| --- | --- |", *(_row(line) for line in lines)]
    return "\n".join(
        [
            f"### {'❌' if looks else '✅'} {title}: {verdict}",
            "",
            heading(found),
            "",
            *rows,
            "",
            _scope(playbook, found, now),
        ]
    )


def _row(line: Line) -> str:
    text = line.text.replace("|", "\\|")
    return f"| {line.subject} | {f'**✗ {text}**' if line.look else text} |"


def _scope(playbook: "Playbook", found: "Change", now: datetime) -> str:
    told = _("{people} people, as of {day}; nothing was written, nothing left.").format(
        people=found.people, day=_day(now, playbook, now)
    )
    return told if found.ahead else told + " " + _("Tonight alone: --nights 14 lives two weeks in thought.")


def change_json(found: "Change") -> str:
    """The same for machines."""
    return _dumped(
        {
            "look": found.look,
            "files": list(found.files),
            "people": found.people,
            "bands": moves_of(found.bands),
            "stages": {"forward": moves_of(found.forward), "back": moves_of(found.back)},
            "segments": [
                {"segment": s.name, "before": s.before, "after": s.after, "in": s.came, "out": s.went}
                for s in found.segments
            ],
            "mails": {"before": found.mails[0], "after": found.mails[1]},
            "nights": {"n": found.nights, **_pair(found.ahead)},
            "new_mails": dict(found.gained),
            "lost_mails": dict(found.lost),
            "hand_overs": _pair(found.handovers),
            "newly_hot": found.newly_hot,
            "overflows": [
                {"rep": over.rep, "wanted": over.wanted, "room": over.room, "to": dict(over.to)}
                for over in found.worse_overflows
            ],
            "brake": found.newly_braked,
            "texts": dict(found.texts),
            "repeated": dict(found.repeated),
            "at_night": found.at_night,
            "stranded": found.stranded,
            "gone": [
                {"sequence": gone.sequence, "step": gone.step, "people": gone.people, "settled": gone.settled}
                for gone in found.gone
            ],
            "dry": [{"cell": cell.name, "people": cell.people} for cell in found.dry],
        }
    )


def _pair(numbers: Sequence[int] | None) -> dict[str, int]:
    return {"before": numbers[0], "after": numbers[1]} if numbers else {}

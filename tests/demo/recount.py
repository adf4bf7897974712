"""What the ending screen says, read back from it, and the same counted from the rows in plain Python."""

import io
import re
from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any

from rich.console import Console
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.words import reason_words
from leadflow.demo.ending import show_ending
from leadflow.demo.nights import Lived
from leadflow.models import metadata
from leadflow.text import set_language
from leadflow.types import Reason

STAGES = ("discovery", "evaluation", "decision")
STEPS = (*STAGES, "prospect", "customer")
LIVES = {"leads": "lead", "prospects": "prospect", "customers": "customer", "disqualified": "disqualified"}


def screen(night: Lived, *, width: int = 130, language: str = "en") -> str:
    out = io.StringIO()
    set_language(language)
    show_ending(Console(file=out, width=width, highlight=False), night, seconds=58, ui="http://127.0.0.1:4200")
    set_language(None)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def numbers_on(text: str) -> dict[str, Any]:
    """What the screen says, by place."""
    title, _newline, rest = text.partition("\n")
    said = {part.split()[0]: part for part in re.split(r"\n(?=  [A-Z]{3,})", rest) if part.split()}
    found: dict[str, Any] = {"nights": int(title.split()[2])}
    rows = (re.split(r"\s{2,}", line.strip()) for line in said["FUNNEL"].splitlines()[1:])
    found["FUNNEL"] = {name: (int(n), share.replace("\u00a0", ""), days) for name, n, share, days in rows}
    found["NOW"] = {name: [*map(int, n)] for name, *n in map(str.split, said["NOW"].splitlines()[1:])}
    found["MAIL"] = {(words, int(n)) for n, words in re.findall(r"(\d+) ([a-z][a-z ]*[a-z])", said["MAIL"])}
    head, _reason, reasons = said["TONIGHT"].partition(" and each has a reason:\n")
    found["TONIGHT"] = [int(n) for n in re.findall(r"\d+", head)]
    found["reasons"] = {words: int(n) for n, words in re.findall(r"(\d+) (.+?)(?=\s{2,}|\n|$)", reasons)}
    handed = said["HANDED"].splitlines()
    found["SALES"] = [int(n) for n in re.findall(r"\d+", handed[0].partition(":")[2])]
    found["HANDED"] = [re.split(r"\s{2,}", line.strip())[-1] for line in handed[1:]]
    changes = said["THE"].splitlines()
    found["people"] = int(re.findall(r"\d+", changes[0])[-1])
    found["CHANGES"] = {tuple(re.split(r"\s{2,}", line.strip())[1:5]) for line in changes[1:]}
    return found


def all_rows(night: Lived) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    with Session(night.app.engine) as session:
        return {
            table.name: [dict(row) for row in session.execute(select(table)).mappings()]
            for table in metadata.sorted_tables
        }


def recount(night: Lived) -> dict[str, Any]:
    """The whole screen again, in plain Python; for a world in which nobody has two reasons."""
    rows, tonight = all_rows(night), mailed_tonight(night)
    states = {row["lead_id"]: row for row in rows["lead_state"]}
    mailed = {m["lead_id"] for m in tonight}
    reasons = Counter(_why(rows, states[n["id"]], n) for n in rows["lead"] if n["id"] not in mailed)
    chosen = {(m["chosen"]["band"], m["chosen"]["stage"], m["language"], m["email"]) for m in tonight}
    return counted(night) | {
        "reasons": {reason_words(reason): n for reason, n in reasons.items()},
        "HANDED": _due(rows["escalation"], night),
        "people": len({(m["language"], m["email"]) for m in tonight}),
        # Two makers get the same mail: one is shown.
        "CHANGES": {row for row in chosen if row[0] != "B3" or row[3] != "case-valves"},
    }


def mailed_tonight(night: Lived) -> list[dict[str, Any]]:
    """The mails of the last night."""
    mails = all_rows(night)["message"]
    return [m for m in mails if m["planned_at"] == night.nights[-1] and m["state"] != "failed"]


def counted(night: Lived) -> dict[str, Any]:
    """What can be counted in any world."""
    rows = all_rows(night)
    states = {row["lead_id"]: row for row in rows["lead_state"]}
    mailed = {m["lead_id"] for m in mailed_tonight(night)}
    stages = [sum(states[n]["stage"] == stage for n in mailed) for stage in STAGES]
    return {
        "nights": len(night.nights),
        "FUNNEL": _funnel(rows),
        "NOW": _now(list(states.values())),
        "MAIL": _mail(rows["message"]),
        "TONIGHT": [len(mailed), len(states), *stages, len(states) - len(mailed)],
        "SALES": _sales(rows["escalation"], night),
    }


def _due(given: list[dict[str, Any]], night: Lived) -> list[str]:
    """When the hand-overs since the night before are due, the newest first."""
    new = [row for row in given if row["opened_at"] >= night.nights[-2]]
    new.sort(key=lambda row: row["opened_at"], reverse=True)
    return [f"by {row['due_at'].astimezone(night.app.office):%H:%M}" for row in new]


def _why(rows: Mapping[str, list[dict[str, Any]]], state: Mapping[str, Any], lead: Mapping[str, Any]) -> Reason:
    """Nobody in this world has two reasons."""
    gone = {row["address_hash"]: row["reason"] for row in rows["suppression"]}
    hashes = [row["hash"] for row in rows["identity"] if row["id"] == lead["address_id"]]
    enrolled = [row for row in rows["enrolment"] if row["lead_id"] == lead["id"]]
    held = [row["reason"] for row in rows["verdict"] if row["enrolment_id"] in [one["id"] for one in enrolled]]
    candidates = (
        *(Reason(gone[h]) for h in hashes if h in gone),
        *([Reason.NO_BASIS] if lead["basis"] is None else []),
        *([Reason(state["lifecycle"])] if state["lifecycle"] in ("customer", "disqualified") else []),
        *([Reason.WITH_SALES] if state["with_sales"] else []),
        *map(Reason, held),
        *(Reason.FINISHED if row["ended_at"] else Reason.NOT_DUE for row in enrolled if not held),
    )
    assert len(candidates) == 1
    return candidates[0]


def _funnel(rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    ways = []
    for lead in rows["lead"]:
        moves = [m for m in rows["stage_change"] if m["lead_id"] == lead["id"]]
        lives = [m for m in rows["lifecycle_change"] if m["lead_id"] == lead["id"]]
        times = [[m["at"] for m in moves if m["after"] in STAGES[i:]] for i in (1, 2)]
        times += [[m["effective_at"] for m in lives if m["after"] == to] for to in ("prospect", "customer")]
        ways.append([lead["first_seen_at"], *(min(found, default=None) for found in times)])
    counts = [sum(way[i] is not None for way in ways) for i in range(5)]
    found: dict[str, Any] = {}
    for i, name in enumerate(STEPS):
        shown = i and counts[i - 1] >= 20 and counts[i] <= counts[i - 1]
        share = f"{100 * counts[i] / counts[i - 1]:.0f}%" if shown else "·"
        took = [(way[i] - way[i - 1]).total_seconds() / 86400 for way in ways if i and way[i] and way[i - 1]]
        found[name] = (counts[i], share, _days(median(took)) if took else "·")
    return found


def _days(value: float) -> str:
    """Three weeks and more are told in whole days."""
    return f"{value:.0f}" if value >= 20.95 else f"{value:.1f}".removesuffix(".0")


def _now(states: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Counts as the table has them: stages nobody stands in are left blank."""
    found: dict[str, list[int]] = {}
    for words, life in LIVES.items():
        mine = [state for state in states if state["lifecycle"] == life]
        by_stage = [sum(s["stage"] == stage for s in mine) for stage in STAGES] if life in ("lead", "prospect") else []
        found[words] = [*filter(None, by_stage), len(mine)]
    living = [state for state in states if state["lifecycle"] in ("lead", "prospect")]
    found["total"] = [*(sum(s["stage"] == stage for s in living) for stage in STAGES), len(states)]
    return found


def _mail(mails: list[dict[str, Any]]) -> set[tuple[str, int]]:
    states = Counter(mail["state"] for mail in mails)
    news = Counter(mail["delivery"] for mail in mails if mail["state"] == "accepted")
    silent = news[None] + news["processed"] + news["deferred"]
    seen = Counter(
        (m["address_id"], m["email"], m["step"], m["enrolment_id"])
        for m in mails
        if m["state"] in ("accepted", "unknown")
    )
    return {
        ("planned", len(mails)),
        ("accepted", states["accepted"]),
        ("suppressed", states["suppressed"]),
        ("failed", states["failed"]),
        ("unknown", states["unknown"]),
        ("waiting for", sum(states[s] for s in ("planned", "claimed", "sending"))),
        ("delivered", states["accepted"] - news["bounced"] - silent),
        ("bounced", news["bounced"]),
        ("no news yet", silent),
        ("sent twice", sum(n > 1 for n in seen.values())),
        ("lost", 0),
    }


def _sales(given: list[dict[str, Any]], night: Lived) -> list[int]:
    """given = accepted, rejected, waiting, late and lapsed."""
    states = Counter(row["state"] for row in given)
    late = sum(row["state"] == "waiting" and row["due_at"] <= night.nights[-1] for row in given)
    accepted = sum(states[s] for s in ("accepted", "later", "won", "lost"))
    lapsed = [states["lapsed"]] if states["lapsed"] else []
    return [len(given), accepted, states["rejected"], states["waiting"] - late, late, *lapsed]

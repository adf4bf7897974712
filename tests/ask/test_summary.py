"""The night's roll-up: every number on it is found again by counting rows in plain Python."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.orm import Session

from leadflow.ask.summary import Run, nightly_summary
from leadflow.ask.words import reason_words
from leadflow.conditions.tree import FieldLeaf
from leadflow.eligibility import reason_tonight
from leadflow.models import (
    enrolment,
    escalation,
    identity,
    lead,
    lead_state,
    message,
    playbook_version,
    suppression,
    sweep,
    verdict,
)
from leadflow.playbook.model import Sales, Salesperson
from leadflow.steps.email import EmailStep
from leadflow.text import set_language
from leadflow.types import Outcome, Phase, Reason
from tests.build import NIGHT
from tests.pipeline.nurture_world import STEPS, World, book, email, sequence

PARIS = ZoneInfo("Europe/Paris")
GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("LEADFLOW_GOLDEN") == "write"
TEAM = (Salesperson(name="Inès", per_day=5), Salesperson(name="Marc", per_day=4), Salesperson(name="Sofia"))
DISCOVERY = sequence(steps=STEPS, priority=60)
#: Nobody has written anything for those who decide.
DECIDING = FieldLeaf(field="stage", operator="is", value="decision")
OFFER = EmailStep(name="offer", best_for="decision", when_none="wait")
OFFERS = sequence("offers", track="o", steps=[OFFER], enter=DECIDING)


@pytest.fixture
def world(session: Session) -> World:
    """Thirteen people after a week of nights: mailed, mailed before, held up in every way there is, two with sales."""
    sales = Sales(team=TEAM, manager=Salesperson(name="Hélène"), hot=(), routes=())
    emails = [email("guide", stage=("discovery",))]
    world = World(session, book(DISCOVERY, OFFERS, emails=emails, sales=sales))
    for number in range(1, 8):
        world.lead(number, language="en" if number % 2 else "fr")
    world.sweep()
    session.execute(insert(playbook_version), {"hash": world.playbook.version, "first_used_at": NIGHT, "files": {}})
    for nights, mails in enumerate((12, 9, 0, 0, 7, 16, 11, 99), start=0):
        _swept(session, NIGHT - timedelta(days=nights), mails)
    _long_ago(session, 20)
    world.lead(8, basis=None)
    world.lead(9, state={"with_sales": True})
    world.lead(10)
    world.lead(11)
    world.lead(12, state={"lifecycle": "disqualified"})
    world.lead(13, state={"stage": "decision", "segment_main": "shops"})
    _hand_over(session, 9, "Marc", NIGHT + timedelta(days=1), NIGHT + timedelta(hours=9))
    _hand_over(session, 8, "Inès", NIGHT, NIGHT + timedelta(hours=9), closed_at=NIGHT, state="rejected")
    for number, days in ((11, 0), (21, 2), (22, 2), (23, 6)):
        at = NIGHT + timedelta(hours=12) - timedelta(days=days)
        session.execute(
            insert(suppression), {"address_hash": f"h{number}", "reason": "unsubscribed", "source": "link", "at": at}
        )
    world.night()
    for number, word in ((5, "bounced"), (2, "complained"), (3, "delivered")):
        session.execute(update(message).where(message.c.lead_id == number).values(delivery=word))
    session.execute(update(message).where(message.c.lead_id == 4).values(state="unknown"))
    return world


def _long_ago(session: Session, n: int) -> None:
    words = {"email": "old", "language": "fr", "purpose": "nurture", "basis": "consent", "version": "", "playbook": "p"}
    at = NIGHT - timedelta(days=10)
    times = {"planned_at": at, "send_at": at, "expires_at": at, "sent_at": at, "chosen": {}}
    sent = {"lead_id": 1, "address_id": 1, "state": "accepted"} | words | times
    session.execute(insert(message), [sent | {"step": f"old-{i}"} for i in range(n)])


def _swept(session: Session, at: datetime, mails: int) -> None:
    counts = {"nurture": {"changed": mails}, "escalate": {"changed": mails // 5}}
    row = {"at": at, "scope": "everyone", "playbook": "p", "started_at": at, "finished_at": at, "counts": counts}
    session.execute(insert(sweep), row)


def _hand_over(session: Session, lead_id: int, rep: str, opened: datetime, due: datetime, **columns: Any) -> None:
    row = {"lead_id": lead_id, "rep": rep, "opened_at": opened, "due_at": due, "number": 1, "rule": "hot"}
    session.execute(insert(escalation), row | {"route": "r", "playbook": "p"} | columns)


OUTCOMES = (
    Outcome(phase=Phase.SCORE, read=13, changed=3, counts={"folded": 5, "dirty": 0}),
    Outcome(phase=Phase.DELIVER, counts={"told": 2}),
)
SECONDS = {Phase.SCORE: 0.26, Phase.DELIVER: 1.5}


def summary(world: World, **parts: Any) -> str:
    run = Run(**{"outcomes": OUTCOMES, "seconds": SECONDS} | parts)
    return nightly_summary(world.session, world.playbook, world.now, run).markdown


def table(markdown: str, first_head: str) -> dict[str, list[str]]:
    """The rows of the table whose first heading is `first_head`, by their first cell."""
    block = next(block for block in markdown.split("\n\n") if block.startswith(f"| {first_head}"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]
    return {row[0]: row[1:] for row in cells}


def rows(world: World, of: Table) -> list[Row[Any]]:
    return list(world.session.execute(select(of)))


def reasons(world: World) -> dict[int, Reason | None]:
    """Why each person gets nothing, asked one by one."""
    ids = world.session.scalars(select(lead.c.id))
    return {i: reason_tonight(world.session, world.playbook, world.now, i) for i in list(ids)}


def the_first_line_adds_up_to_everybody(world: World) -> None:
    people, mails = len(rows(world, lead)), [m for m in rows(world, message) if m.planned_at == world.now]
    unknown = sum(m.state == "unknown" for m in rows(world, message))
    given = sum(e.opened_at == world.now for e in rows(world, escalation))
    assert (people, len(mails), unknown, given) == (13, 1, 1, 1)
    assert (
        f"{people} people · {len(mails)} mail planned · {people - len(mails)} without, all with a reason · "
        f"{given} to sales · {unknown} unknown · 0 invariants broken · "
        f"{len(mails)} + {people - len(mails)} = {people} ✓"
    ) in summary(world)


def the_reasons_add_up_to_those_without(world: World) -> None:
    expected = Counter(reason_words(reason) for reason in reasons(world).values() if reason)
    told = {words: int(cells[0]) for words, cells in table(summary(world), "why no mail").items()}
    assert told.pop("total") == sum(told.values()) == 12
    assert told == dict(expected)
    assert len(told) == 6


def a_reason_says_since_when_and_when_it_lifts(world: World) -> None:
    told = {words: cells[1:] for words, cells in table(summary(world), "why no mail").items()}
    due = [e.due_at for e in rows(world, enrolment) if e.due_at and e.due_at > world.now and not e.ended_at]
    assert told["next step not due"] == ["", f"by {max(due).astimezone(PARIS).day} March"]
    known = next(person.created_at for person in rows(world, lead) if person.id == 8)
    assert told["no legal basis"] == [f"⚠ {known.day} December {known.year}", "import notes"]
    waits = next(v.since for v in rows(world, verdict) if v.reason == "no_mail_left")
    assert waits == world.now
    assert told["no mail left"] == ["⚠ new", "a new email"]
    assert told["unsubscribed"] == ["", "never"]
    assert told["with sales"] == ["", "their answer"]


def what_is_usual_are_the_last_seven_nights(world: World) -> None:
    told = table(summary(world), "compared with the last 7 nights")
    week = world.now - timedelta(days=7)
    nights = [s.counts for s in rows(world, sweep) if week <= s.at < world.now]
    mails, sales = ([n[phase]["changed"] for n in nights] for phase in ("nurture", "escalate"))
    assert told["mails planned"] == ["1", f"{min(mails)}–{max(mails)}"] == ["1", "0–16"]
    assert told["hand-overs"] == ["1", f"{min(sales)}–{max(sales)}"]
    days = Counter((world.now - s.at).days for s in rows(world, suppression))
    before = [days[n] for n in range(1, 8)]
    assert told["unsubscribes"] == [str(days[0]), f"{min(before)}–{max(before)}"] == ["1", "0–2"]


def bounces_and_complaints_are_rates_of_the_last_three_weeks(world: World) -> None:
    sent = [m for m in rows(world, message) if m.state == "accepted"]
    bounced, complained = (sum(m.delivery == word for m in sent) for word in ("bounced", "complained"))
    told = table(summary(world), "compared with the last 7 nights")
    assert told["bounces per 1,000 (21 days)"] == [f"{1000 * bounced / len(sent):.1f}", "< 20"]
    assert told["complaints per 1,000 (21 days)"] == [f"{1000 * complained / len(sent):.1f}", "< 1"]
    assert (bounced, complained, len(sent)) == (1, 1, 26)


def sequences_tell_who_is_in_them_and_what_they_send(world: World) -> None:
    def expected() -> Iterator[tuple[str, list[str]]]:
        for name in ("discovery", "offers"):
            mine = [e for e in rows(world, enrolment) if e.sequence == name]
            live = [e for e in mine if e.ended_at is None]
            sent = [m for m in rows(world, message) if m.sequence == name and m.planned_at == world.now]
            week = [e for e in live if e.due_at and e.state == "active" and e.due_at < world.now + timedelta(days=7)]
            paused, over = [e for e in live if e.state == "paused"], [e for e in mine if e.end_reason == "finished"]
            yield name, [str(len(part)) for part in (live, sent, paused, over, week)]

    assert table(summary(world), "sequence") == dict(expected())


def salespeople_are_told_by_what_waits_and_what_is_late(world: World) -> None:
    def numbers(rep: str) -> list[str]:
        mine = [e for e in rows(world, escalation) if e.rep == rep]
        waiting = [e for e in mine if e.state == "waiting" and e.closed_at is None]
        late = [e for e in waiting if e.due_at <= world.now]
        given = [e for e in mine if e.opened_at == world.now]
        return [str(len(part)) for part in (given, waiting, late)]

    told = table(summary(world), "salesperson")
    assert told == {
        "Inès": [*numbers("Inès"), "0 of 5"],
        "Marc": [*numbers("Marc"), "1 of 4"],
        "Sofia": ["0", "0", "0", "–"],
    }
    assert numbers("Marc") == ["1", "1", "1"]


def emails_are_those_planned_tonight_by_language(world: World) -> None:
    planned = Counter((m.email, m.language) for m in rows(world, message) if m.planned_at == world.now)
    told = table(summary(world), "email")
    assert {(name, cells[0]): int(cells[1]) for name, cells in told.items()} == dict(planned)


def phases_are_told_with_their_seconds_and_when_delivery_starts(world: World) -> None:
    told = table(summary(world), "phase")
    first = min(m.send_at for m in rows(world, message) if m.planned_at == world.now).astimezone(PARIS)
    assert told["score"] == ["13", "3", "0.3", "counted 5"]
    assert told["deliver"] == ["0", "0", "1.5", f"starts Tue {first:%H:%M} · told 2"]


def the_heading_tells_the_night_the_playbook_and_the_attempt(world: World) -> None:
    head = "Night of Tue 24 March 2026 · playbook 000000 (unchanged since 23 March) · 2 s · "
    assert summary(world).startswith(f"**✅ {head}first attempt of the day**")
    assert summary(world, attempt=2).startswith(f"**✅ {head}attempt 2 of the day**")


def a_broken_rule_or_a_hold_stands_at_the_top(world: World) -> None:
    told = summary(world, broken=("2 messages without a reason",))
    assert told.startswith("**❌ Night of")
    assert "\n\n❌ invariant: 2 messages without a reason\n\n" in told
    assert " · 1 invariants broken · " in told
    told = summary(world, held="brake: 1,940 mails planned")
    assert told.startswith("**⏸ Night of")
    assert "\n\n⏸ brake: 1,940 mails planned\n\n" in told


def what_needs_a_human_is_said_and_counted(world: World) -> None:
    made = nightly_summary(world.session, world.playbook, world.now, Run())
    lines = re.findall(r"^- ⚠ (.+)$", made.markdown, re.MULTILINE)
    assert lines == [
        "1 person has nothing left to read: decision × shops × fr",
        "1 person has no basis, source or information date since 23 December 2025",
        "1 hand-over is late",
        "1 mail of which nobody can say whether it left",
        "38.5 bounces per 1,000 mails: mailbox providers begin to refuse at 20",
        "38.5 complaints per 1,000 mails: mailbox providers begin to refuse at 1",
    ]
    assert made.warnings == len(lines)


#: What is claimed of the page, each a look at the same night.
CLAIMS = (
    the_first_line_adds_up_to_everybody,
    the_reasons_add_up_to_those_without,
    a_reason_says_since_when_and_when_it_lifts,
    what_is_usual_are_the_last_seven_nights,
    bounces_and_complaints_are_rates_of_the_last_three_weeks,
    sequences_tell_who_is_in_them_and_what_they_send,
    salespeople_are_told_by_what_waits_and_what_is_late,
    emails_are_those_planned_tonight_by_language,
    phases_are_told_with_their_seconds_and_when_delivery_starts,
    the_heading_tells_the_night_the_playbook_and_the_attempt,
    a_broken_rule_or_a_hold_stands_at_the_top,
    what_needs_a_human_is_said_and_counted,
)


def test_every_number_is_found_again_in_the_rows(world: World) -> None:
    for holds in CLAIMS:
        holds(world)


def test_no_address_and_no_name_is_in_it(world: World) -> None:
    world.session.execute(update(lead).values(first_name="Clotilde", last_name="Quinquaud"))
    told = summary(world)
    assert not [word for word in world.session.scalars(select(identity.c.value)) if word in told]
    assert not re.search("Clotilde|Quinquaud|@", told)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_reads_as_it_did(world: World, language: str) -> None:
    """`LEADFLOW_GOLDEN=write pytest tests/ask/test_summary.py` writes it anew."""
    set_language(language)
    world.session.execute(update(lead_state).where(lead_state.c.lead_id == 12).values(lifecycle="customer"))
    told = summary(world, held="") + "\n"
    path = GOLDEN / f"nightly-summary.{language}.md"
    if WRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(told, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == told

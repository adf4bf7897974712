"""What a scenario may expect of a person or of sales, each read from the tables in the words the scenario uses."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from re import Pattern
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from leadflow.eligibility import reason_tonight
from leadflow.errors import Fault
from leadflow.models import decision, enrolment, escalation, lead_score, lead_state, message
from leadflow.testing.spoken import spoken
from leadflow.testing.world import World
from leadflow.types import MessageState

_MAIL = re.compile(
    r"(?P<email>[\w-]+) (?P<state>planned|sent|suppressed|failed|unknown)(?: \((?P<reason>\w+)\))?"
    r"(?: in (?P<language>\w+))?(?: (?P<day>\d{4}-\d\d-\d\d)(?: (?P<first>\d\d:\d\d)(?:-(?P<last>\d\d:\d\d))?)?)?"
)
_ANY = re.compile(r".+", re.DOTALL)
_NAME = re.compile(r"[\w./-]+")


def fault_of(place: Fault, message: str) -> Fault:
    """A fault where something stands."""
    return replace(place, message=message)


def check(world: World, who: str, word: str, texts: Sequence[str]) -> str | None:
    """None when `texts` is what is found, else what was found instead."""
    return WORDS[who == "sales"][word].check(world, who, texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """How an expectation is written, and how it is held against the world."""

    pattern: Pattern[str] = _NAME
    example: str
    check: Callable[[World, str, Sequence[str]], str | None]


def _equal(read: Callable[[World, str], Sequence[str]]) -> Callable[[World, str, Sequence[str]], str | None]:
    def compare(world: World, who: str, texts: Sequence[str]) -> str | None:
        found = read(world, who)
        return None if list(found) == list(texts) else ", ".join(found) or "nothing"

    return compare


def _state(column: ColumnElement[Any]) -> Callable[[World, str], Sequence[str]]:
    def read(world: World, who: str) -> Sequence[str]:
        query = select(column).join_from(lead_state, lead_score, lead_score.c.lead_id == lead_state.c.lead_id)
        with Session(world.app.engine) as session:
            found = session.scalar(query.where(lead_state.c.lead_id == world.people[who]))
        return [] if found is None else [str(found)]

    return read


def _with_sales(world: World, who: str) -> Sequence[str]:
    """The salesperson who has the lead, as the lead's own state and the open hand-over agree."""
    with Session(world.app.engine) as session:
        marked = session.scalar(select(lead_state.c.with_sales).where(lead_state.c.lead_id == world.people[who]))
        mine = select(escalation.c.rep).where(escalation.c.lead_id == world.people[who])
        rep = session.scalar(mine.where(escalation.c.closed_at.is_(None)))
    return [rep] if rep and marked else ["no"] if not rep and not marked else [f"{rep}, marked {marked}"]


def _standing(world: World, who: str) -> Sequence[str]:
    """`discovery/wait-1`, `discovery/wait-1 paused`, `discovery ended handed_on`: one an enrolment, oldest first."""
    mine = select(enrolment).where(enrolment.c.lead_id == world.people[who])
    mine = mine.order_by(enrolment.c.entered_at, enrolment.c.sequence)
    with Session(world.app.engine) as session:
        rows = session.execute(mine).all()
    return [
        f"{row.sequence} ended {row.end_reason}"
        if row.ended_at
        else f"{row.sequence}/{row.step}" + ("" if row.state == "active" else f" {row.state}")
        for row in rows
    ]


def _tonight(world: World, who: str) -> Sequence[str]:
    """Why the last sweep planned no mail, `mail` when it did."""
    if world.swept is None:
        return []
    with Session(world.app.engine) as session:
        reason = reason_tonight(session, world.app.playbook, world.swept, world.people[who])
    return [str(reason or "mail")]


def _decided(world: World, who: str, texts: Sequence[str]) -> str | None:
    """Each of `texts`, `plan discovery/welcome` or `skip discovery/learn-1 (expired)`, was decided at some time."""
    mine = select(decision).where(decision.c.lead_id == world.people[who]).order_by(decision.c.at)
    with Session(world.app.engine) as session:
        rows = session.execute(mine).all()
    found = [f"{row.kind} {row.subject}" + (f" ({row.reason})" if row.reason else "") for row in rows]
    return None if set(texts) <= set(found) else "; ".join(found) or "nothing"


def _mails(world: World, who: str, texts: Sequence[str]) -> str | None:
    """Every message of a person, oldest first; a time is the reader's, and may be left out."""
    mine = select(message).where(message.c.lead_id == world.people[who]).order_by(message.c.id)
    with Session(world.app.engine) as session:
        rows = session.execute(mine).all()
    zone = world.zone_of(who)
    found = [(row, (row.sent_at or row.send_at).astimezone(zone)) for row in rows]
    if len(found) == len(texts) and all(_is(text, *one) for text, one in zip(texts, found, strict=True)):
        return None
    return "; ".join(_said(*one) for one in found) or "nothing"


def _is(text: str, row: Any, at: datetime) -> bool:
    asked = _MAIL.fullmatch(text)
    if asked is None:
        return False
    known = {"email": row.email, "state": _state_of(row), "language": row.language, "day": f"{at:%Y-%m-%d}"}
    known["reason"] = row.reason or ""
    first, last = asked["first"] or "00:00", asked["last"] or asked["first"] or "24:00"
    return all(asked[name] in (None, value) for name, value in known.items()) and first <= f"{at:%H:%M}" <= last


def _said(row: Any, at: datetime) -> str:
    reason = f" ({row.reason})" if row.reason else ""
    return f"{row.email} {_state_of(row)}{reason} in {row.language} {at:%Y-%m-%d %H:%M}"


def _state_of(row: Any) -> str:
    return "sent" if row.state == MessageState.ACCEPTED else str(row.state)


def _reads(world: World, who: str, texts: Sequence[str]) -> str | None:
    """The last mail says each of `texts`, in its text and in its HTML."""
    text, html = _last_mail(world, who)
    return None if all(part in text and part in html for part in texts) else text


def _never_reads(world: World, who: str, texts: Sequence[str]) -> str | None:
    text, html = _last_mail(world, who)
    return None if not any(part in text or part in html for part in texts) else text


def _last_mail(world: World, who: str) -> tuple[str, str]:
    mail = world.last_mail(who)
    return f"{mail.subject}\n{mail.text}", f"{mail.subject}\n{mail.html}"


def _told(world: World, _who: str) -> Sequence[str]:
    """Whom alerts went to, in their order."""
    return [alert.to for alert in world.sales.alerts]


def _block(language: str) -> Callable[[World, str, Sequence[str]], str | None]:
    """The first block as `why --not` prints it: what it rests on, when it lifts, what would leave then."""

    def compare(world: World, who: str, texts: Sequence[str]) -> str | None:
        lines = spoken(world, who, language, brief=True)
        same = len(lines) == len(texts) and all(_reads_as(text, line) for text, line in zip(texts, lines, strict=True))
        return None if same else "\n".join(lines) or "nothing"

    return compare


def _reads_as(text: str, line: str) -> bool:
    """`…` stands for anything: the minute at which somebody's mail leaves is nobody's promise."""
    return re.fullmatch(".+".join(map(re.escape, text.split("…"))), line) is not None


def _why(language: str) -> Callable[[World, str, Sequence[str]], str | None]:
    """Each text is a line of what `why` prints."""

    def compare(world: World, who: str, texts: Sequence[str]) -> str | None:
        found = [line.strip() for line in spoken(world, who, language, brief=False)]
        told = all(any(_reads_as(text, line) for line in found) for text in texts)
        return None if told else "\n".join(found)

    return compare


_LINE = re.compile(r"[\w./-]+ [^()]+( \(\w+\))?")
_PERSON: Mapping[str, Word] = {
    "stage": Word(example="evaluation", check=_equal(_state(lead_state.c.stage))),
    "lifecycle": Word(example="prospect", check=_equal(_state(lead_state.c.lifecycle))),
    "segment": Word(example="online-shops", check=_equal(_state(lead_state.c.segment_main))),
    "band": Word(example="A2", check=_equal(_state(lead_score.c.band))),
    "with_sales": Word(pattern=_ANY, example="no, or a salesperson", check=_equal(_with_sales)),
    "standing": Word(pattern=_ANY, example="discovery/wait-1, discovery ended finished", check=_equal(_standing)),
    "tonight": Word(example="mail, or a reason such as pressure", check=_equal(_tonight)),
    "decided": Word(pattern=_LINE, example="skip discovery/learn-1 (expired)", check=_decided),
    "mails": Word(pattern=_MAIL, example="welcome sent 2026-03-03 09:00-12:00", check=_mails),
    "block_en": Word(pattern=_ANY, example='"✗ pressure: …", "→ lifts …" (… for anything)', check=_block("en")),
    "block_fr": Word(pattern=_ANY, example='"✗ pression : …", "→ levé …"', check=_block("fr")),
    "why_en": Word(pattern=_ANY, example="it takes: 2 points of engagement", check=_why("en")),
    "why_fr": Word(pattern=_ANY, example="il faut : 2 points d'engagement", check=_why("fr")),
    "reads": Word(pattern=_ANY, example="Bonjour Léa,", check=_reads),
    "never_reads": Word(pattern=_ANY, example="Bonjour ,", check=_never_reads),
}
_SALES: Mapping[str, Word] = {"told": Word(pattern=_ANY, example="Inès", check=_equal(_told))}
#: False: words about a person; True: words about sales.
WORDS: Mapping[bool, Mapping[str, Word]] = {False: _PERSON, True: _SALES}

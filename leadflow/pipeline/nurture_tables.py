"""What nurture works out on the way: temporary tables, empty at the start of each sweep, gone with the connection."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, MetaData, Table, delete, insert
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

from leadflow.db import Word, analyze, sample_little
from leadflow.models import enrolment
from leadflow.pipeline.catalogue import stage_bits
from leadflow.playbook.model import Playbook, Sequence
from leadflow.steps.base import Step
from leadflow.steps.branch import BranchStep
from leadflow.steps.email import EmailStep
from leadflow.steps.escalate import EscalateStep
from leadflow.steps.wait import WaitStep
from leadflow.types import Purpose, Span, SpanKind

_metadata = MetaData()


def _working(name: str, *columns: Column[Any]) -> Table:
    return Table(name, _metadata, *columns, prefixes=["TEMPORARY"])


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, autoincrement=False)


def _word(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Word, primary_key=key)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


#: The leads this sweep may touch; bit i of a word is the i-th sequence of the playbook.
touched = _working(
    "nurture_touched",
    _number("lead_id", key=True),
    _number("enters"),
    _number("exits"),
    _number("goals"),
    # customer, disqualified or with_sales.
    _word("held"),
)

#: The one sequence of a track a lead belongs in tonight, and how it comes there: stay, reopen, new or ramp.
entry = _working(
    "nurture_entry",
    _number("lead_id", key=True),
    _word("track", key=True),
    _word("sequence"),
    _word("how"),
    # The last enrolment, and its number.
    _number("enrolment_id"),
    _number("entry"),
)

#: What tonight does to enrolments that have not ended, found in one look at all of them: the few that do not stay.
shift = _working(
    "nurture_shift",
    _number("enrolment_id", key=True),
    # Why it ends, or pauses; whether what held it has gone.
    _word("ends"),
    _word("pauses"),
    _flag("resumes"),
    # Today's files do not know where it stands, or may not.
    _flag("lost"),
)

#: The enrolments that may move on: active, and due.
moving = _working("nurture_moving", _number("enrolment_id", key=True))

#: Today's steps as rows.
route_step = _working(
    "nurture_step",
    _word("sequence", key=True),
    _word("step", key=True),
    _number("priority"),
    # A wait, in microseconds or business days.
    _number("wait_in"),
    _number("wait_days"),
    # Hands people over to sales.
    _flag("asks"),
    # An email step: the email it names, or the bit of the stage it asks the best one for.
    _word("template"),
    _number("best"),
    _word("purpose"),
    _number("expires_in"),
    _number("expires_days"),
    # What becomes of those for whom there is no mail, or whose mail failed.
    _word("when_none"),
    _word("on_fail"),
)

#: Which step may follow which completed one; '' before the first and after the last.
route = _working(
    "nurture_route",
    _word("sequence", key=True),
    _word("position", key=True),
    _word("step", key=True),
    # The one to go on with when the present step is none of them.
    _flag("usual"),
)

#: Enrolments that stand on an email step, its time come.
candidate = _working(
    "nurture_candidate",
    _number("enrolment_id", key=True),
    _number("lead_id"),
    _number("address_id"),
    _word("sequence"),
    _word("step"),
    _number("priority"),
    _number("due_at"),
    _word("template"),
    _number("best"),
    _flag("counted"),
    _number("calendar_id"),
    _number("seed"),
    _word("reads"),
    _word("stage"),
    _word("band"),
    _word("segment_main"),
    _number("stages"),
    _number("fits"),
    _number("engagements"),
    _number("has"),
    _number("whens"),
    _word("basis"),
    # Why the person gets no mail at all, and what stood in the way at the last sweep.
    _word("block"),
    _word("was"),
    # Another message of the address is on its way.
    _flag("flying"),
)

#: The email each candidate would get, or why there is none.
choice = _working(
    "nurture_choice",
    _number("enrolment_id", key=True),
    _word("template"),
    _word("language"),
    _number("among"),
    _word("reason"),
)

#: When each candidate's mail may leave, or why it waits.
slot = _working(
    "nurture_slot",
    _number("enrolment_id", key=True),
    _number("send_at"),
    _word("reason"),
    # The instant at which it could leave together with others, with whom it shares the hours from then on.
    _number("queue"),
    # A cap is full until then; 0 when none is.
    _number("free_at"),
)

TOUCHED = enrolment.c.lead_id.in_(touched.select().with_only_columns(touched.c.lead_id))


def prepare_tables(session: Session, playbook: Playbook) -> None:
    """Empty working tables, and today's steps and routes in theirs."""
    sample_little(session)
    for table in _metadata.sorted_tables:
        session.execute(CreateTable(table, if_not_exists=True))
        session.execute(delete(table))
    steps = [_step_row(playbook, sequence, step) for sequence in playbook.sequences for step in sequence.steps]
    routes = [row for sequence in playbook.sequences for row in _routes(sequence)]
    if steps:
        session.execute(insert(route_step), steps)
        session.execute(insert(route), routes)
    analyze(session, route_step, route)


def _routes(sequence: Sequence) -> list[dict[str, object]]:
    rows: dict[tuple[str, str], bool] = {}
    if sequence.steps:
        rows["", sequence.steps[0].name] = True
    for step in sequence.steps:
        after = sequence.after(step)
        rows[step.name, after.name if after else ""] = True
        if isinstance(step, BranchStep):
            for _when, target in step.cases:
                rows.setdefault((step.name, target), False)
    for gone, target in sequence.removed.items():
        found = sequence.step(target)
        rows[gone, found.name if found else ""] = True
    return [
        {"sequence": sequence.name, "position": position, "step": step, "usual": usual}
        for (position, step), usual in rows.items()
    ]


def _step_row(playbook: Playbook, sequence: Sequence, step: Step) -> dict[str, object]:
    wait = step.span if isinstance(step, WaitStep) else None
    email = step if isinstance(step, EmailStep) else None
    named = playbook.emails.get(email.email) if email and email.email else None
    return {
        "sequence": sequence.name,
        "step": step.name,
        "priority": sequence.priority,
        "wait_in": _elapsed(wait),
        "wait_days": _days(wait),
        "asks": isinstance(step, EscalateStep),
        "template": email.email if email else None,
        "best": stage_bits(playbook, [email.best_for]) if email and email.best_for else 0,
        "purpose": str(named.purpose if named else Purpose.NURTURE) if email else None,
        "expires_in": _elapsed(email.expires if email else None),
        "expires_days": _days(email.expires if email else None),
        "when_none": email.when_none if email else None,
        "on_fail": email.on_fail if email else None,
    }


def _elapsed(span: Span | None) -> int | None:
    return span.amount if span and span.kind is SpanKind.ELAPSED else None


def _days(span: Span | None) -> int | None:
    return span.amount if span and span.kind is not SpanKind.ELAPSED else None

"""Each reason in full: what it rests on, when it lifts, and what happens if the mail is not sent in time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from leadflow.ask import block_mail, block_person, block_sequence
from leadflow.ask.case import Case
from leadflow.ask.person import Subject
from leadflow.ask.told import Told
from leadflow.ask.words import reason_words
from leadflow.conditions.evaluate import View
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import Reason

#: Reason → what there is to say; a reason without a line fails a test.
TELLS: Mapping[Reason, Callable[[Case], Told]] = {
    **block_person.TELLS,
    **block_sequence.TELLS,
    **block_mail.TELLS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The first thing that stops a mail, in words; `told.then` is filled in by whoever can try it."""

    reason: Reason
    told: Told

    @property
    def lifts_at(self) -> datetime | None:
        """The instant at which it lifts of itself, where it does."""
        return self.told.lifts_at

    def lines(self, then: str | None = None) -> tuple[str, ...]:
        """The block, when it lifts and what would leave then, what happens if that is too late."""
        head = f"✗ {reason_words(self.reason)}"
        told = self.told
        lines = [_("{reason}: {evidence}").format(reason=head, evidence=told.evidence) if told.evidence else head]
        lines.append("→ " + (_("{lifts}; {then}").format(lifts=told.lifts, then=then) if then else told.lifts))
        return (*lines, *(f"→ {line}" for line in told.unsent))


def block_of(case: Case) -> Block:
    """What is to be said of the reason that stops somebody."""
    return Block(reason=case.reason, told=TELLS[case.reason](case))


def rest_of(session: Session, playbook: Playbook, subject: Subject, view: View) -> tuple[str, ...]:
    """What a rest forbids: hand-overs, never mails."""
    told = block_person.rest(session, playbook, subject, view)
    then = _("a hand-over then waits for a new act")
    return Block(reason=Reason.RESTING, told=told).lines(then)

"""Names that vanished from the files while people stand on them: how many, and where they would go."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.models import enrolment
from leadflow.playbook.model import Playbook, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanished:
    """A step, or with `step` empty a whole sequence, that today's files do not have."""

    sequence: str
    step: str
    #: Who has it before them.
    people: int
    #: Who completed it last: nothing says where they stand, so they would be parked.
    stranded: int
    #: `was:` or `removed:` says what becomes of them.
    settled: bool
    #: The step people go on to; None where nobody can say.
    onward: str | None = None


#: (sequence, last completed step or None, present step or None) → people.
Places = Mapping[tuple[str, str | None, str | None], int]


def places(session: Session) -> Places:
    """Where everybody stands who is under way in a sequence."""
    columns = (enrolment.c.sequence, enrolment.c.position, enrolment.c.step)
    rows = session.execute(select(*columns, func.count()).where(enrolment.c.ended_at.is_(None)).group_by(*columns))
    return {(sequence, position, step): n for sequence, position, step, n in rows}


def vanished(playbook: Playbook, stood: Places, expected: Iterable[tuple[str, str]] = ()) -> tuple[Vanished, ...]:
    """Every name people stand on, or that `expected` had, and that `playbook` has no more."""
    here: Counter[tuple[str, str]] = Counter(dict.fromkeys(expected, 0))
    behind: Counter[tuple[str, str]] = Counter()
    whole: Counter[str] = Counter()
    onward: dict[tuple[str, str], str | None] = {}
    for (name, position, step), n in stood.items():
        sequence = playbook.sequence(name)
        whole[name] += n
        if position is not None:
            behind[name, position] += n
        if step is not None:
            here[name, step] += n
            onward[name, step] = _after(sequence, position) if sequence else None
    return tuple(_gone(playbook, here, behind, whole, onward))


def _gone(
    playbook: Playbook,
    here: Counter[tuple[str, str]],
    behind: Counter[tuple[str, str]],
    whole: Counter[str],
    onward: Mapping[tuple[str, str], str | None],
) -> Iterator[Vanished]:
    names = sorted({name for name, _step in [*here, *behind]})
    for name in names:
        sequence = playbook.sequence(name)
        if sequence is None or sequence.name != name:
            settled = sequence is not None or name in playbook.removed_sequences
            yield Vanished(sequence=name, step="", people=whole[name], stranded=whole[name], settled=settled)
            continue
        steps = {step.name for step in sequence.steps}
        for step in sorted({step for of, step in [*here, *behind] if of == name} - steps):
            yield Vanished(
                sequence=name,
                step=step,
                people=here[name, step],
                stranded=0 if _settled(sequence, step) else behind[name, step],
                settled=_settled(sequence, step),
                onward=onward.get((name, step)),
            )


def _settled(sequence: Sequence, step: str) -> bool:
    return step in sequence.removed or any(other.was == step for other in sequence.steps)


def _after(sequence: Sequence, position: str | None) -> str | None:
    """The step after the last completed one in today's file."""
    if position is None:
        return sequence.steps[0].name if sequence.steps else None
    if position in sequence.removed:
        return sequence.removed[position]
    step = sequence.step(position)
    following = sequence.after(step) if step else None
    return following.name if following else None

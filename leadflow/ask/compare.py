"""What a change of the files would do: two rehearsals of one night over the same rows, held side by side."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from leadflow.ask.dry import DryCell
from leadflow.ask.snapshot import Snapshot
from leadflow.ask.standing import Vanished
from leadflow.playbook.model import Playbook

#: (before, after).
Move = tuple[str, str]
#: `{{ lead.first_name }}`, `{{ links.page("…") }}`.
_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChange:
    """A segment before and after, who came and who went."""

    name: str
    before: int
    after: int
    came: int
    went: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """A salesperson who would be given more than there is room for, and who gets the rest."""

    rep: str
    wanted: int
    room: int
    to: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Everything `plan --against` says, as numbers."""

    files: Sequence[str]
    people: int
    #: (band before, band after) → people.
    bands: Mapping[Move, int]
    #: (stage before, stage after) → people.
    forward: Mapping[Move, int]
    back: Mapping[Move, int]
    segments: Sequence[SegmentChange]
    mails: tuple[int, int]
    #: Email → people who would get it tonight and would not without the change, and the other way round.
    gained: Mapping[str, int]
    lost: Mapping[str, int]
    #: Mails of the nights lived in thought, before and after; None for tonight alone.
    ahead: tuple[int, int] | None
    nights: int
    handovers: tuple[int, int]
    newly_hot: int
    overflows: Sequence[Overflow]
    #: Salespeople who were over their limit already, by as much.
    overflowed_before: Mapping[str, int]
    #: Email → mails that wait and go out with the new text.
    texts: Mapping[str, int]
    repeated: Mapping[str, int]
    #: Mails of tonight that would leave at night and would not without the change.
    at_night: int
    stranded: int
    gone: Sequence[Vanished]
    dry: Sequence[DryCell]
    #: Why the brake would hold the night, before and after the change; None when it would not.
    brake: tuple[str | None, str | None]
    #: Emails whose links and merge fields are the same in both.
    same_fields: frozenset[str]
    #: New name → old name of emails that say what another one said, without `was`.
    renamed: Mapping[str, str]

    @property
    def band_moves(self) -> tuple[int, int]:
        """People who move to a better band, and to a worse one; A1 is the best."""
        up = sum(n for (before, after), n in self.bands.items() if after < before)
        return up, sum(self.bands.values()) - up

    @property
    def worse_overflows(self) -> Sequence[Overflow]:
        """Those the change makes, or makes worse."""
        return [over for over in self.overflows if over.wanted - over.room > self.overflowed_before.get(over.rep, 0)]

    @property
    def newly_braked(self) -> str | None:
        """Why the brake would hold the night, where it would not have held it without the change."""
        return None if self.brake[0] else self.brake[1]

    @property
    def look(self) -> bool:
        """Whether somebody should look before this is merged."""
        gone = any(step.people and not step.settled for step in self.gone)
        mails = self.repeated or self.at_night or self.newly_braked
        return bool(mails or self.worse_overflows or self.stranded or gone)


def compare(
    before: Snapshot,
    after: Snapshot,
    *,
    books: tuple[Playbook, Playbook],
    gone: Sequence[Vanished],
    brake: tuple[str | None, str | None],
) -> Change:
    """Hold two nights side by side; `books` are what they were lived with."""
    bands, moves = _moves(before, after)
    place = {stage.name: i for i, stage in enumerate(books[1].journey.stages)}
    forward = {move: n for move, n in moves.items() if place.get(move[1], 0) > place.get(move[0], 0)}
    ahead = (sum(before.nights), sum(after.nights)) if len(after.nights) > 1 else None
    return Change(
        files=changed_files(*books),
        people=len(after.people),
        bands=bands,
        forward=forward,
        back={move: n for move, n in moves.items() if move not in forward},
        segments=tuple(_segments(before, after)),
        mails=(len(before.mails), len(after.mails)),
        gained=_counted(after.mails - before.mails),
        lost=_counted(before.mails - after.mails),
        ahead=ahead,
        nights=len(after.nights),
        handovers=(len(before.handovers), len(after.handovers)),
        newly_hot=len(after.handovers.keys() - before.handovers.keys()),
        overflows=overflows(after),
        overflowed_before={over.rep: over.wanted - over.room for over in overflows(before)},
        texts=_texts(before, after),
        repeated=_counted(after.repeated - before.repeated),
        at_night=max(0, after.at_night - before.at_night),
        stranded=len(after.parked - before.parked),
        gone=gone,
        dry=_newly_dry(before, after),
        brake=brake,
        same_fields=_same_fields(*books),
        renamed=renamed_emails(*books),
    )


def _moves(before: Snapshot, after: Snapshot) -> tuple[Counter[Move], Counter[Move]]:
    """Both lists are in the order of the leads, and of the same leads."""
    bands: Counter[Move] = Counter()
    stages: Counter[Move] = Counter()
    for (_, band, stage), (_, new_band, new_stage) in zip(before.people, after.people, strict=True):
        if band != new_band:
            bands[band, new_band] += 1
        if stage != new_stage:
            stages[stage, new_stage] += 1
    return bands, stages


def _segments(before: Snapshot, after: Snapshot) -> Iterator[SegmentChange]:
    for name in sorted(before.segments.keys() | after.segments.keys()):
        old, new = before.segments.get(name, frozenset()), after.segments.get(name, frozenset())
        if old != new:
            yield SegmentChange(name=name, before=len(old), after=len(new), came=len(new - old), went=len(old - new))


def _counted(mails: frozenset[tuple[int, str]]) -> Counter[str]:
    return Counter(email for _, email in sorted(mails))


def _texts(before: Snapshot, after: Snapshot) -> Mapping[str, int]:
    """Mails that wait in both, whose text is another one after the change."""
    edited = {key: n for key, n in after.texts.items() if key not in before.texts}
    waits = {email for email, _version in before.texts}
    found: Counter[str] = Counter()
    for (email, _version), n in edited.items():
        if email in waits:
            found[email] += n
    return found


def _newly_dry(before: Snapshot, after: Snapshot) -> tuple[DryCell, ...]:
    people = {cell.name: cell.people for cell in before.dry}
    return tuple(cell for cell in after.dry if cell.people > people.get(cell.name, 0))


def overflows(night: Snapshot) -> tuple[Overflow, ...]:
    """Salespeople who would have been given more, had they room: for each, to whom the others go."""
    wanted, given = Counter(night.wanted.values()), Counter(night.handovers.values())
    moved: dict[str, Counter[str]] = {}
    for lead_id, rep in night.wanted.items():
        got = night.handovers.get(lead_id)
        if got is not None and got != rep and wanted[rep] > given[rep]:
            moved.setdefault(rep, Counter())[got] += 1
    return tuple(Overflow(rep=rep, wanted=wanted[rep], room=given[rep], to=to) for rep, to in sorted(moved.items()))


def changed_files(before: Playbook, after: Playbook) -> tuple[str, ...]:
    """Paths that differ, came or went."""
    paths = before.files.keys() | after.files.keys()
    return tuple(sorted(path for path in paths if before.files.get(path) != after.files.get(path)))


def renamed_emails(before: Playbook, after: Playbook) -> Mapping[str, str]:
    """New name → old name of the emails that are called otherwise and say the same; `was:` settles it."""
    gone = {name: email for name, email in before.emails.items() if name not in after.emails}
    found: dict[str, str] = {}
    for name, email in after.emails.items():
        if name in before.emails or email.was:
            continue
        for old, was in gone.items():
            alike = any(email.bodies.get(language) == body for language, body in was.bodies.items())
            if alike or (email.subject and email.subject == was.subject):
                found[name] = old
    return found


def _same_fields(before: Playbook, after: Playbook) -> frozenset[str]:
    """Emails that ask for the same values and lead to the same pages."""
    both = before.emails.keys() & after.emails.keys()
    return frozenset(name for name in both if _fields(before, name) == _fields(after, name))


def _fields(playbook: Playbook, name: str) -> Mapping[str, frozenset[str]]:
    bodies = playbook.emails[name].bodies
    return {language: frozenset(_EXPRESSION.findall(body)) for language, body in bodies.items()}

"""What a change of the files would do, in words: one line a subject, and whether it asks for a look."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from leadflow.ask.compare import Change, Move, Overflow
from leadflow.ask.standing import Vanished
from leadflow.text import _, ngettext

#: Of a list only so many are named.
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the screen; `look` when somebody should read it before merging."""

    subject: str
    text: str
    look: bool = False


def lines_of(change: Change) -> tuple[Line, ...]:
    """The screen from its second line on."""
    found = [
        Line(subject=_("score"), text=_score(change)),
        *(Line(subject=_("segment"), text=text) for text in _segments(change)),
        Line(subject=_("stage"), text=_stages(change)),
        Line(subject=_("mails"), text=_mails(change)),
        Line(subject=_("sales"), text=_sales(change)),
        *(Line(subject=_("sales"), text=_overflow(over), look=True) for over in change.worse_overflows),
        *([Line(subject=_("brake"), text=change.newly_braked, look=True)] if change.newly_braked else []),
        *_texts(change),
        *(Line(subject=_("dry"), text=_dry(cell.name, cell.people)) for cell in change.dry[:_NAMED]),
        *_hours(change),
        *_twice(change),
        *_steps(change),
    ]
    return tuple(found)


def heading(change: Change) -> str:
    """`3 files changed: scoring.yaml, segments/manufacturers.yaml`."""
    n = len(change.files)
    if not n:
        return _("no file of the playbook differs")
    told = ngettext("{n} file changed: {files}", "{n} files changed: {files}", n)
    return told.format(n=n, files=_list([path.removeprefix("config/") for path in change.files]))


def _list(names: list[str]) -> str:
    more = len(names) - _NAMED
    said = ", ".join(names[:_NAMED])
    return said + ngettext(" and {n} more", " and {n} more", more).format(n=more) if more > 0 else said


def _score(change: Change) -> str:
    n, (up, down) = sum(change.bands.values()), change.band_moves
    if not n:
        return _("nobody changes band")
    (before, after), most = max(change.bands.items(), key=lambda item: (item[1], item[0]))
    told = ngettext(
        "{n} person changes band: {up} up, {down} down (largest: {before} → {after}, {most})",
        "{n} people change band: {up} up, {down} down (largest: {before} → {after}, {most})",
        n,
    )
    return told.format(n=n, up=up, down=down, before=before, after=after, most=most)


def _segments(change: Change) -> Iterator[str]:
    for one in change.segments[:_NAMED]:
        yield _("{segment} {before} → {after}: {came} in, {went} out").format(
            segment=one.name, before=one.before, after=one.after, came=one.came, went=one.went
        )
    more = len(change.segments) - _NAMED
    if more > 0:
        yield ngettext("and {n} more segment", "and {n} more segments", more).format(n=more)
    if not change.segments:
        yield _("nobody enters or leaves a segment")


def _stages(change: Change) -> str:
    back = sum(change.back.values())
    if not change.forward and not back:
        return _("nobody changes stage")
    entered: dict[str, int] = {}
    for (_before, after), n in change.forward.items():
        entered[after] = entered.get(after, 0) + n
    parts = [
        ngettext("{n} enters {stage} tonight", "{n} enter {stage} tonight", n).format(n=n, stage=stage)
        for stage, n in sorted(entered.items())
    ]
    return ", ".join([*parts, ngettext("{n} goes back", "{n} go back", back).format(n=back)])


def _mails(change: Change) -> str:
    before, after = change.mails
    parts = [_("tonight {before} → {after}").format(before=before, after=after)]
    if change.ahead:
        told = _("next {nights} nights {before} → {after}, if nobody does anything")
        parts.append(told.format(nights=change.nights, before=change.ahead[0], after=change.ahead[1]))
    for told, mails in ((_("new: {mails}"), change.gained), (_("no more: {mails}"), change.lost)):
        if mails:
            parts.append(told.format(mails=_counted(mails)))
    return " · ".join(parts)


def _counted(mails: Mapping[str, int]) -> str:
    most = sorted(mails.items(), key=lambda item: (-item[1], item[0]))
    return _list([f"{email} {n}" for email, n in most])


def _sales(change: Change) -> str:
    before, after = change.handovers
    told = _("tonight {before} → {after} hand-overs").format(before=before, after=after)
    if change.newly_hot:
        told += " · " + ngettext("{n} newly hot", "{n} newly hot", change.newly_hot).format(n=change.newly_hot)
    return told


def _overflow(over: Overflow) -> str:
    to = ", ".join(
        ngettext("{n} goes to {rep}", "{n} go to {rep}", n).format(n=n, rep=rep) for rep, n in sorted(over.to.items())
    )
    told = _("{rep} would get {wanted} and has room for {room}: {to}")
    return told.format(rep=over.rep, wanted=over.wanted, room=over.room, to=to)


def _texts(change: Change) -> Iterator[Line]:
    for email, n in sorted(change.texts.items()):
        told = ngettext(
            "{email}: {n} mail already planned goes out with the NEW text",
            "{email}: {n} mails already planned go out with the NEW text",
            n,
        ).format(email=email, n=n)
        kept = email in change.same_fields
        same = _("links and merge fields unchanged") if kept else _("links or merge fields changed")
        yield Line(subject=_("text"), text=f"{told} ({same})")


def _dry(cell: str, people: int) -> str:
    return ngettext("{cell}: {n} person has no email left", "{cell}: {n} people have no email left", people).format(
        cell=cell, n=people
    )


def _twice(change: Change) -> Iterator[Line]:
    if not change.repeated:
        yield Line(subject=_("repeats"), text=_("nobody gets the same email twice"))
    for email, n in sorted(change.repeated.items()):
        old = change.renamed.get(email)
        told = ngettext("{n} person gets {email} again tonight", "{n} people get {email} again tonight", n).format(
            n=n, email=email
        )
        if old:
            told += " " + _("(it was {old}: add  was: {old}  to its email.yaml)").format(old=old)
        yield Line(subject=_("repeats"), text=told, look=True)


def _hours(change: Change) -> Iterator[Line]:
    if change.at_night:
        told = ngettext(
            "{n} mail would leave between 21:00 and 07:00",
            "{n} mails would leave between 21:00 and 07:00",
            change.at_night,
        )
        yield Line(subject=_("hours"), text=told.format(n=change.at_night), look=True)


def _steps(change: Change) -> Iterator[Line]:
    if not change.stranded:
        yield Line(subject=_("steps"), text=_("nobody loses a step in progress"))
    else:
        told = ngettext(
            "{n} person would stand on a step that no file names",
            "{n} people would stand on a step that no file names",
            change.stranded,
        )
        yield Line(subject=_("steps"), text=told.format(n=change.stranded), look=True)
    for step in change.gone:
        yield Line(subject=_("steps"), text=gone_words(step), look=bool(step.people) and not step.settled)


def gone_words(gone: Vanished) -> str:
    """`discovery/wait-old is gone (0 people stand on it)`."""
    name = f"{gone.sequence}/{gone.step}" if gone.step else gone.sequence
    told = ngettext("{name} is gone ({n} person stands on it)", "{name} is gone ({n} people stand on it)", gone.people)
    return told.format(name=name, n=gone.people)


def moves_of(moves: Mapping[Move, int]) -> list[dict[str, object]]:
    """Moves as rows, for JSON."""
    return [{"from": before, "to": after, "people": n} for (before, after), n in sorted(moves.items())]

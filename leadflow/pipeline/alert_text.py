"""Says a hand-over in the salesperson's language: the first line, the blocks, the answers, what silence brings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from leadflow.links import answer_url, meeting_url, sign_answer
from leadflow.pipeline.alert_blocks import About, Block, blocks_of, local, one_line
from leadflow.pipeline.alert_dates import moment
from leadflow.pipeline.alert_facts import Facts
from leadflow.pipeline.asked import spans_of
from leadflow.playbook.model import Playbook, Salesperson
from leadflow.text import _, ngettext, speaking
from leadflow.types import Answer, EscalationState, Span
from leadflow.windows import due_after

#: What a salesperson can say to an alert at once; a sale takes longer.
OFFERED = (Answer.ACCEPT, Answer.LATER, Answer.REJECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where answers given from an alert arrive; without a key there are no links, and the terminal is named alone."""

    key: str = field(default="", repr=False)
    public_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One hand-over in words."""

    #: Who, and from where.
    heading: str
    #: `A2 · answer before 13:00`.
    urgency: str
    #: Why it comes again, or comes to somebody else; empty the first time.
    again: str
    blocks: tuple[Block, ...]
    #: (words, address) of each answer.
    answers: tuple[tuple[str, str], ...]
    #: Address of an appointment for the salesperson's calendar; empty without a door.
    meeting: str
    silence: str
    #: The terminal's commands, the whole file, the rule and the playbook.
    footer: tuple[str, ...]

    @property
    def title(self) -> str:
        """One line for a subject or a list."""
        return " · ".join(filter(None, (self.again, self.heading, self.urgency)))


@contextmanager
def spoken_to(rep: Salesperson, playbook: Playbook) -> Iterator[str]:
    """Speak the salesperson's first language inside; yields it."""
    language = (rep.languages or playbook.brand.languages)[0]
    with speaking(language):
        yield language


def told_of(facts: Facts, playbook: Playbook, now: datetime, door: Door) -> Told:
    """The words of one hand-over, in the language spoken now."""
    about = About(facts=facts, playbook=playbook, now=now)
    return Told(
        heading=_heading(about),
        urgency=one_line(f"{facts.row.band} · {_until(about)}"),
        again=one_line(_again(about)),
        blocks=tuple(blocks_of(about)),
        answers=tuple(_answers(about, door)),
        meeting=_meeting(about, door),
        silence=one_line(_silence(about)),
        footer=tuple(_footer(about)),
    )


def digest_title(rep: Salesperson, told: Sequence[Told]) -> str:
    """One line for all hand-overs of one salesperson."""
    if len(told) == 1:
        return told[0].title
    words = ngettext("{n} hand-over for {who}", "{n} hand-overs for {who}", len(told))
    return words.format(n=len(told), who=rep.name)


def _heading(about: About) -> str:
    row = about.facts.row
    name = " ".join(filter(None, (row.first_name, row.last_name))) or row.address or f"L-{row.lead_id:04}"
    if not row.company:
        return one_line(str(name))
    facts = ", ".join(filter(None, (_size(about), _trade(about), row.country)))
    return one_line(f"{name} — {row.company}" + (f" ({facts})" if facts else ""))


def _size(about: About) -> str:
    people = about.facts.row.attributes.get("employees")
    if not isinstance(people, int) or "employees" not in about.playbook.fields:
        return ""
    return ngettext("{n} person", "{n} people", people).format(n=people)


def _trade(about: About) -> str:
    segment = about.playbook.segments.get(about.facts.row.segment_main or "")
    return local(segment.title) if segment else ""


def _taken_over(about: About) -> bool:
    return bool(about.facts.row.reminders and about.facts.row.taken_from)


def _again(about: About) -> str:
    row = about.facts.row
    if _taken_over(about):
        return _("{who} has not answered").format(who=row.taken_from)
    if row.raised_at:
        return _("Raised a hand again")
    return _("Waiting for your answer") if row.reminders else ""


def _accepted(about: About) -> bool:
    return bool(about.facts.row.state == EscalationState.ACCEPTED)


def _until(about: About) -> str:
    row = about.facts.row
    if _accepted(about):
        return _("yours already")
    if not row.reminders:
        return _("answer before {due}").format(due=_moment(row.due_at, about))
    step = _next_step(about)
    if _taken_over(about) and step:
        return _("answer before {due}").format(due=_moment(step[0], about))
    return _("was due {due}").format(due=_moment(row.due_at, about))


def _moment(at: datetime, about: About) -> str:
    return moment(at, about.now, about.zone)


def _next_step(about: About) -> tuple[datetime, str] | None:
    """When silence takes the hand-over to somebody else, and to whom; None when nobody else would get it."""
    row, sales = about.facts.row, about.playbook.sales
    words = {1: sales.no_answer.at_100, 2: sales.no_answer.at_200, 3: sales.no_answer.at_300}
    for level in range(row.reminders + 1, 4):
        takes = {"manager": sales.manager.name, "next_in_route": about.facts.next_rep}.get(words[level])
        if takes and takes != row.rep:
            return _passes(about, level), takes
    return None


def _passes(about: About, level: int) -> datetime:
    """When `level` hundred per cent of the clock have run."""
    due_at: datetime = about.facts.row.due_at
    span = spans_of(about.playbook).get(about.facts.row.rule)
    if span is None:
        # A rule no file names any more keeps the clock it was given.
        opened_at: datetime = about.facts.row.opened_at
        return due_at + (level - 1) * (due_at - opened_at)
    return due_after(Session(), about.playbook, due_at, Span(kind=span.kind, amount=span.amount * (level - 1)))


def _silence(about: About) -> str:
    row = about.facts.row
    if _accepted(about):
        return ""
    step = _next_step(about)
    if step is None:
        since = row.again_at or row.opened_at
        ends = since + timedelta(microseconds=about.playbook.sales.no_answer.after)
        return _("without an answer by {when}: a lead again").format(when=_moment(ends, about))
    return _("without an answer by {when}: offered to {who}").format(when=_moment(step[0], about), who=step[1])


def _answers(about: About, door: Door) -> Iterator[tuple[str, str]]:
    if not door.key or _accepted(about):
        return
    own = {Answer.ACCEPT: _("Mine"), Answer.LATER: _("Later…"), Answer.REJECT: _("Not ready…")}
    for said in OFFERED:
        label = local(about.playbook.sales.answers.get(said, {}).get("label", {}))
        # The others ask something more: a day, a reason.
        more = "" if said is Answer.ACCEPT or label.endswith("…") else "…"
        token = sign_answer(door.key, about.facts.row.id, about.facts.row.rep, said)
        yield (label + more if label else own[said]), answer_url(door.public_url, token)


def _meeting(about: About, door: Door) -> str:
    row = about.facts.row
    return meeting_url(door.public_url, sign_answer(door.key, row.id, row.rep, Answer.ACCEPT)) if door.key else ""


def _footer(about: About) -> Iterator[str]:
    row = about.facts.row
    if _accepted(about):
        yield f"leadflow handover won {row.id} --amount …  |  lost {row.id} --reason …"
    else:
        yield f"leadflow handover accept {row.id}  |  later {row.id} --on …  |  reject {row.id} --reason …"
    yield _("Whole file: leadflow why L-{lead:04}").format(lead=row.lead_id)
    yield one_line(_("{rule} · playbook {version}").format(rule=row.rule, version=about.playbook.short))

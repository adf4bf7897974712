"""Why a person has this score, stands there, got that and gets nothing: answered from the record, in words."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.block import Block
from leadflow.ask.flips import flip_words
from leadflow.ask.handover import sales_section
from leadflow.ask.heading import heading, playbook_line, short
from leadflow.ask.journey import qualified_section, segment_section, stage_section
from leadflow.ask.mails import mails_section
from leadflow.ask.next_mail import NextMail, Would, next_mail
from leadflow.ask.person import Subject, find_lead, last_look, subject_at
from leadflow.ask.record import record_section, that_night
from leadflow.ask.scores import (
    Scored,
    cooling,
    engagement_lines,
    fit_lines,
    machine_clicks,
    plain_points,
    score_person,
    sum_line,
)
from leadflow.ask.section import Section
from leadflow.conditions.evaluate import View
from leadflow.conditions.tree import FieldLeaf
from leadflow.models import sweep
from leadflow.playbook.model import Playbook
from leadflow.scoring.sheet import Sheet
from leadflow.text import _, ngettext


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Everything there is to say about one person."""

    lead_id: int
    at: datetime
    heading: Section
    #: Who, in a few words.
    short: str
    #: Fit and engagement: two columns where the screen is wide enough.
    scores: tuple[Section, ...]
    sections: tuple[Section, ...]
    #: What comes next, as of the last sweep; None for a question about a night in the past.
    following: NextMail | None
    #: What that night decided, for a question about it.
    night: Section | None
    playbook: str
    #: The last sweep that looked.
    looked: datetime | None = None
    #: What would leave once the block has lifted, filled in by whoever can try it.
    would: Would | None = None
    view: View

    @property
    def block(self) -> Block | None:
        """The first thing that blocks the next mail."""
        return self.following.block if self.following else None

    @property
    def then(self) -> str | None:
        """What would leave once the block has lifted, in words."""
        return self.would.words(self.view) if self.would else None

    @property
    def next_section(self) -> Section:
        """What comes next, or what that night decided."""
        if self.following is None:
            return self.night or Section(title=_("THAT NIGHT"), lines=())
        ticks = self.following.ticks
        return Section(title=_("NEXT MAIL"), lines=(*ticks[:1], *self.following.lines(self.then)))

    @property
    def nothing(self) -> Section:
        """`--not`: ticks up to the first block, what it rests on, when it lifts, what would leave then."""
        if self.following is None:
            return self.next_section
        ends = self.block.lines(self.then) if self.block else (self.following.going or _("nothing blocks a mail"),)
        title = _("WHY NOTHING TONIGHT") if self.block else _("NEXT MAIL")
        return Section(title=title, lines=(*self.following.ticks, *ends))


def why(
    session: Session, playbook: Playbook, who: str, at: datetime | None, *, now: datetime, brief: bool = False
) -> Answer:
    """Everything there is to say about `who` as of `at` (None: the last sweep that looked, else `now`).

    `brief` leaves out all but what comes next. Raises UsageError when nobody is known under that name.
    """
    lead_id = find_lead(session, who)
    looked = last_look(session, lead_id)
    subject = subject_at(session, playbook, lead_id, at or looked or now)
    view = view_of(playbook, subject.at)
    scored = score_person(session, playbook, subject, view)
    past = looked is not None and subject.at < looked
    night = Section(title=_("THAT NIGHT"), lines=that_night(session, subject, view)) if past else None
    judged = subject.at == looked
    return Answer(
        lead_id=lead_id,
        at=subject.at,
        heading=heading(session, playbook, subject, scored, view, since=looked if at is None else None),
        short=short(subject, scored),
        scores=() if brief else _scores(session, playbook, subject, scored, view, judged=judged),
        sections=() if brief else _sections(session, playbook, subject, scored, view),
        following=None if past else next_mail(session, playbook, subject, scored, view),
        night=night,
        playbook=playbook_line(session, playbook, subject, view),
        looked=looked,
        view=view,
    )


def _sections(
    session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View
) -> tuple[Section, ...]:
    return (
        stage_section(session, playbook, subject, scored, view),
        segment_section(playbook, subject, scored, view),
        qualified_section(session, playbook, subject, scored, view),
        sales_section(session, playbook, subject, scored, view),
        mails_section(session, playbook, subject, view),
        record_section(session, subject, view),
    )


def view_of(playbook: Playbook, at: datetime) -> View:
    """Everything as it was at `at`, in the office's zone."""
    zone = ZoneInfo(playbook.office.zone)
    return View(now=at, vocabulary=playbook.vocabulary, segments=playbook.segment_conditions, zone=zone)


def _scores(
    session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View, *, judged: bool
) -> tuple[Section, Section]:
    stored = scored.stored if judged else None
    same = session.scalar(select(sweep.c.playbook).where(sweep.c.at == subject.at).limit(1)) == playbook.version
    veto = " " + _("(D by {rule})").format(rule=scored.veto) if scored.veto else ""
    fit = _("WHY FIT {points} → {band}").format(points=plain_points(scored.fit.score), band=scored.band[0])
    heat = _("WHY ENGAGEMENT {points} → {band}").format(
        points=plain_points(scored.engagement.score), band=scored.band[1]
    )
    said = [_stored(sheet, stored and stored[i], same=same) for i, sheet in enumerate((scored.fit, scored.engagement))]
    return (
        Section(
            title=fit + veto,
            lines=(
                *fit_lines(playbook, scored, view),
                "─" * 7,
                sum_line(scored.fit, stored=said[0]),
                *_better(playbook, scored, view, "fit"),
            ),
        ),
        Section(
            title=heat,
            lines=(
                *engagement_lines(playbook, subject, scored, view),
                "─" * 7,
                sum_line(scored.engagement, stored=said[1]),
                *_better(playbook, scored, view, "engagement"),
                *_notes(session, playbook, subject, scored),
            ),
        ),
    )


def _better(playbook: Playbook, scored: Scored, view: View, field: str) -> list[str]:
    """What the next better band takes; nothing of the best one."""
    bounds = playbook.scoring.fit_bands if field == "fit" else playbook.scoring.engagement_bands
    sheet = scored.fit if field == "fit" else scored.engagement
    above = [(name, least) for name, least in bounds if sheet.score < least * 100]
    if not above or (field == "fit" and scored.veto):
        return []
    name, least = above[-1]
    words = flip_words(playbook, scored, FieldLeaf(field=field, operator="at_least", value=least), view)
    return [_("band {band} takes: {what}").format(band=name, what=words)] if words else []


def _stored(sheet: Sheet, stored: int | None, *, same: bool) -> str:
    if stored is None:
        return _("rebuilt for this instant from acts and attributes")
    if stored == sheet.score:
        return _("stored {points} ✓").format(points=plain_points(stored))
    cause = _("something came in late") if same else _("the playbook has changed since")
    return _("stored {points} ✗ {cause}").format(points=plain_points(stored), cause=cause)


def _notes(session: Session, playbook: Playbook, subject: Subject, scored: Scored) -> list[str]:
    lines = []
    if found := cooling(playbook, subject, scored):
        days, bound, band = found
        lines.append(
            ngettext(
                "doing nothing: under {points} in {n} day → band {band}",
                "doing nothing: under {points} in {n} days → band {band}",
                days,
            ).format(points=bound, n=days, band=band)
        )
    clicks, rules = machine_clicks(session, subject)
    if clicks:
        text = ngettext("not counted: {n} machine click ({rules})", "not counted: {n} machine clicks ({rules})", clicks)
        lines.append(text.format(n=clicks, rules=", ".join(rules)) + _("; opens are never counted"))
    return lines

"""Why a person has this score, stands there, got that and gets nothing: answered from the record, in words."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.ask.handover import sales_section
from leadflow.ask.journey import qualified_section, segment_section, stage_section
from leadflow.ask.mails import mails_section
from leadflow.ask.next_mail import NextMail, next_mail
from leadflow.ask.person import Subject, code_of, find_lead, last_look, subject_at
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
from leadflow.models import event, sweep
from leadflow.playbook.model import Playbook
from leadflow.scoring.sheet import Sheet
from leadflow.text import _, current_language, ngettext


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Everything there is to say about one person."""

    lead_id: int
    heading: Section
    #: Fit and engagement: two columns where the screen is wide enough.
    scores: tuple[Section, Section]
    sections: tuple[Section, ...]
    #: The one of `sections` about what comes next.
    next_section: Section
    #: When the block of the next mail lifts, where that can be told; whether a mail leaves at that very instant.
    lifts: datetime | None = None
    leaves_then: bool = False
    #: The last sweep that looked.
    looked: datetime | None = None


def why(session: Session, playbook: Playbook, who: str, at: datetime | None, *, now: datetime) -> Answer:
    """Everything there is to say about `who` as of `at` (None: the last sweep that looked, else `now`).

    Raises UsageError when nobody is known under that name.
    """
    lead_id = find_lead(session, who)
    looked = last_look(session, lead_id)
    subject = subject_at(session, playbook, lead_id, at or looked or now)
    view = _view(playbook, subject.at)
    scored = score_person(session, playbook, subject, view)
    following = _next(session, playbook, subject, view, looked)
    sales = sales_section(session, playbook, subject, view)
    return Answer(
        lead_id=lead_id,
        heading=_who(session, playbook, subject, scored, since=looked if at is None else None),
        scores=_scores(session, playbook, subject, scored, view, judged=subject.at == looked),
        sections=(
            stage_section(session, playbook, subject, scored, view),
            segment_section(playbook, subject, scored, view),
            qualified_section(playbook, subject, scored, view),
            *((sales,) if sales else ()),
            mails_section(session, subject, view),
            record_section(session, subject, view.zone),
            following.section,
            Section(title=_("playbook"), lines=(playbook.short,)),
        ),
        next_section=following.section,
        lifts=following.lifts,
        leaves_then=following.leaves_then,
        looked=looked,
    )


def _view(playbook: Playbook, at: datetime) -> View:
    zone = ZoneInfo(playbook.office.zone)
    return View(now=at, vocabulary=playbook.vocabulary, segments=playbook.segment_conditions, zone=zone)


def _next(session: Session, playbook: Playbook, subject: Subject, view: View, looked: datetime | None) -> NextMail:
    """What comes next, as of now; of a night in the past only what was decided then."""
    if looked is None or subject.at >= looked:
        return next_mail(session, playbook, subject, view)
    return NextMail(section=Section(title=_("THAT NIGHT"), lines=that_night(session, subject, view.zone)))


def _who(session: Session, playbook: Playbook, subject: Subject, scored: Scored, *, since: datetime | None) -> Section:
    fields = scored.person.fields
    name = " ".join(str(fields[part]) for part in ("first_name", "last_name") if fields[part]) or subject.address
    main = fields.get("segment_main")
    title = playbook.segments[str(main)].title.get(current_language(), str(main)) if main else "–"
    local = subject.at.astimezone(ZoneInfo(playbook.office.zone))
    known = [name, *(fields.get(part) for part in ("job_title", "company", "country", "language"))]
    place = [
        code_of(subject.lead_id),
        str(fields["lifecycle"]),
        str(fields["stage"]),
        scored.band,
        _("segment: {title}").format(title=title),
        _("source: {source}").format(source=fields.get("source") or _("(source empty)")),
    ]
    lines = [" · ".join(place), _("as of {at}").format(at=f"{local:%Y-%m-%d %H:%M} {playbook.office.zone}")]
    if since is not None and (waiting := _unseen(session, subject)):
        lines.append(
            ngettext(
                "{n} act came in since; the next sweep counts it",
                "{n} acts came in since; the next sweep counts them",
                waiting,
            ).format(n=waiting)
        )
    return Section(title=" · ".join(str(part) for part in known if part), lines=tuple(lines))


def _unseen(session: Session, subject: Subject) -> int:
    later = (event.c.occurred_at >= subject.at) | (event.c.received_at >= subject.at)
    mine = select(func.count()).select_from(event).where(event.c.lead_id == subject.lead_id, event.c.weight > 0, later)
    return session.scalar(mine) or 0


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
            lines=(*fit_lines(playbook, scored, view), "─" * 7, sum_line(scored.fit, stored=said[0])),
        ),
        Section(
            title=heat,
            lines=(
                *engagement_lines(playbook, subject, scored, view),
                "─" * 7,
                sum_line(scored.engagement, stored=said[1]),
                *_notes(playbook, subject, scored),
            ),
        ),
    )


def _stored(sheet: Sheet, stored: int | None, *, same: bool) -> str:
    if stored is None:
        return _("rebuilt for this instant from acts and attributes")
    if stored == sheet.score:
        return _("stored {points} ✓").format(points=plain_points(stored))
    cause = _("something came in late") if same else _("the playbook has changed since")
    return _("stored {points} ✗ {cause}").format(points=plain_points(stored), cause=cause)


def _notes(playbook: Playbook, subject: Subject, scored: Scored) -> list[str]:
    lines = []
    if found := cooling(playbook, subject, scored):
        days, score, band = found
        lines.append(
            ngettext(
                "doing nothing: {points} in {n} day → band {band}",
                "doing nothing: {points} in {n} days → band {band}",
                days,
            ).format(points=plain_points(score), n=days, band=band)
        )
    if clicks := machine_clicks(subject):
        text = ngettext("not counted: {n} machine click", "not counted: {n} machine clicks", clicks)
        lines.append(text.format(n=clicks) + _("; opens are never counted"))
    return lines

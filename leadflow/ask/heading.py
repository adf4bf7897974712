"""Who a person is, in two lines, and under which rules they were looked at."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.ask.dates import clock_of, date_of, place_of
from leadflow.ask.person import Subject, code_of
from leadflow.ask.scores import Scored
from leadflow.ask.section import Section, weekday
from leadflow.ask.words import lifecycle_words
from leadflow.conditions.evaluate import View
from leadflow.models import escalation, event, playbook_version, stage_change, sweep
from leadflow.playbook.model import Playbook
from leadflow.text import _, current_language, ngettext
from leadflow.types import Lifecycle


def heading(
    session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View, *, since: datetime | None
) -> Section:
    """Name, work and place; then where they stand. `since` is the sweep after which acts are not counted yet."""
    fields = scored.person.fields
    local = subject.at.astimezone(view.zone)
    as_of = _("as of {weekday} {date} {year}, {time} {place}").format(
        weekday=weekday(local),
        date=date_of(local, view),
        year=local.year,
        time=clock_of(local, view),
        place=place_of(view),
    )
    parts = (name_of(subject, scored), fields.get("job_title"), _company(scored), fields.get("language"), as_of)
    lines = [" · ".join(_standing(session, playbook, subject, scored, view))]
    if since is not None and (waiting := _unseen(session, subject)):
        lines.append(
            ngettext(
                "{n} act came in since; the next sweep counts it",
                "{n} acts came in since; the next sweep counts them",
                waiting,
            ).format(n=waiting)
        )
    return Section(title=" · ".join(str(part) for part in parts if part), lines=tuple(lines))


def short(subject: Subject, scored: Scored) -> str:
    """`Luc Perrin · C3 · discovery · fr`."""
    fields = scored.person.fields
    parts = (name_of(subject, scored), scored.band, fields["stage"], fields.get("language"))
    return " · ".join(str(part) for part in parts if part)


def name_of(subject: Subject, scored: Scored) -> str:
    """First and last name, else the address."""
    fields = scored.person.fields
    return " ".join(str(fields[part]) for part in ("first_name", "last_name") if fields[part]) or subject.address


def _company(scored: Scored) -> str:
    fields = scored.person.fields
    size = fields.get("employees")
    people = ngettext("{n} person", "{n} people", int(size)).format(n=size) if isinstance(size, int) else None
    known = ", ".join(str(part) for part in (people, fields.get("industry"), fields.get("country")) if part)
    company = fields.get("company")
    return f"{company} ({known})" if company and known else str(company or known)


def _standing(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> list[str]:
    fields = scored.person.fields
    parts = [
        _("prospect no, lead") if fields["lifecycle"] == Lifecycle.LEAD else lifecycle_words(str(fields["lifecycle"])),
        _stage(session, subject, str(fields["stage"]), view),
        scored.band,
        _("segment: {title}").format(title=_segments(playbook, subject, scored)),
        _("source: {source}").format(source=fields.get("first_source") or _("(source empty)")),
    ]
    mine = (escalation.c.lead_id == subject.lead_id, escalation.c.opened_at <= subject.at)
    holds = escalation.c.closed_at.is_(None) | (escalation.c.closed_at > subject.at)
    rep = session.scalar(select(escalation.c.rep).where(*mine, holds).order_by(escalation.c.number.desc()))
    if rep:
        parts.append(_("with sales: {rep}").format(rep=rep))
    return [*parts, code_of(subject.lead_id)]


def _stage(session: Session, subject: Subject, stage: str, view: View) -> str:
    mine = (stage_change.c.lead_id == subject.lead_id, stage_change.c.at <= subject.at)
    since = session.scalar(select(func.max(stage_change.c.at)).where(*mine))
    return _("{stage} since {date}").format(stage=stage, date=date_of(since, view)) if since else stage


def _segments(playbook: Playbook, subject: Subject, scored: Scored) -> str:
    main = scored.person.fields.get("segment_main")
    if not main:
        return "–"
    others = sorted(subject.person.segments - {str(main)})
    return _("{main} (also: {others})").format(
        main=_title(playbook, str(main)), others=", ".join(_title(playbook, name) for name in others) or _("none")
    )


def _title(playbook: Playbook, name: str) -> str:
    segment = playbook.segments.get(name)
    return segment.title.get(current_language(), name) if segment else name


def _unseen(session: Session, subject: Subject) -> int:
    later = (event.c.occurred_at >= subject.at) | (event.c.received_at >= subject.at)
    mine = select(func.count()).select_from(event).where(event.c.lead_id == subject.lead_id, event.c.weight > 0, later)
    return session.scalar(mine) or 0


def playbook_line(session: Session, playbook: Playbook, subject: Subject, view: View) -> str:
    """The rules of the sweep that looked, since when they are in use, and whether today's files are others."""
    used = session.scalar(select(sweep.c.playbook).where(sweep.c.at <= subject.at).order_by(sweep.c.at.desc()).limit(1))
    version = used or playbook.version
    since = session.scalar(select(playbook_version.c.first_used_at).where(playbook_version.c.hash == version))
    words = _("playbook {version}").format(version=version[:6])
    if since is not None:
        words += _(", in use since {date}").format(date=date_of(since, view))
    if version != playbook.version:
        words += _(" · explained with today's files, {version}").format(version=playbook.short)
    return words

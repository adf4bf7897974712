"""Why a person has this score, stands there, got that and gets nothing: answered from the record, in words."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.mails import mail_lines, next_lines
from leadflow.ask.person import Subject, code_of, find_lead, last_look, subject_at
from leadflow.ask.scores import Scored, engagement_lines, fit_lines, machine_clicks, plain_points, score_person
from leadflow.conditions.evaluate import View
from leadflow.conditions.prove import Proof, prove
from leadflow.conditions.tree import Condition
from leadflow.models import escalation, stage_change
from leadflow.playbook.model import Playbook, Stage
from leadflow.text import _, current_language


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and the lines under it."""

    title: str
    lines: tuple[str, ...]


def why(session: Session, playbook: Playbook, who: str, at: datetime | None) -> list[Section]:
    """Everything there is to say about `who` as of `at` (None: the last sweep that looked).

    Raises UsageError when nobody is known under that name.
    """
    lead_id = find_lead(session, who)
    looked = last_look(session, lead_id)
    instant = at or looked or datetime.now(ZoneInfo(playbook.office.zone))
    subject = subject_at(session, playbook, lead_id, instant)
    view = _view(playbook, instant)
    scored = score_person(session, playbook, subject, view)
    judged = instant == looked
    return [
        _who(playbook, subject, scored),
        Section(title=_fit_title(scored), lines=(*fit_lines(playbook, subject, scored), _sum(scored, 0, judged))),
        Section(
            title=_engagement_title(scored),
            lines=(*engagement_lines(playbook, subject, scored), _sum(scored, 1, judged), *_uncounted(subject)),
        ),
        _stage(session, playbook, subject, scored, view),
        _segments(playbook, subject, scored, view),
        _qualified(playbook, scored),
        *_sales(session, playbook, subject, scored, view),
        Section(title=_("MAILS"), lines=mail_lines(session, playbook, subject)),
        Section(title=_("NEXT MAIL"), lines=next_lines(session, playbook, subject, instant)),
        Section(title=_("playbook"), lines=(playbook.short,)),
    ]


def _view(playbook: Playbook, at: datetime) -> View:
    inline = {name: segment.when for name, segment in playbook.segments.items()}
    return View(now=at, vocabulary=playbook.vocabulary, segments=inline, zone=ZoneInfo(playbook.office.zone))


def _who(playbook: Playbook, subject: Subject, scored: Scored) -> Section:
    fields, row = scored.person.fields, subject.row
    name = " ".join(str(row[part]) for part in ("first_name", "last_name") if row[part]) or subject.address
    company = fields.get("company")
    main = fields.get("segment_main")
    title = playbook.segments[str(main)].title.get(current_language(), str(main)) if main else "–"
    local = subject.at.astimezone(ZoneInfo(playbook.office.zone))
    known = [name, fields.get("job_title"), company, fields.get("country"), fields.get("language")]
    place = [
        code_of(subject.lead_id),
        str(fields["lifecycle"]),
        str(fields["stage"]),
        scored.band,
        _("segment: {title}").format(title=title),
        _("source: {source}").format(source=fields.get("source") or _("(source empty)")),
    ]
    return Section(
        title=" · ".join(str(part) for part in known if part),
        lines=(" · ".join(place), _("as of {at}").format(at=f"{local:%a %d %B %Y, %H:%M} {playbook.office.zone}")),
    )


def _fit_title(scored: Scored) -> str:
    veto = f" ({scored.veto})" if scored.veto else ""
    return _("WHY FIT {points} → {band}").format(points=plain_points(scored.fit.score), band=scored.band[0] + veto)


def _engagement_title(scored: Scored) -> str:
    total = plain_points(scored.engagement.score)
    return _("WHY ENGAGEMENT {points} → {band}").format(points=total, band=scored.band[1])


def _sum(scored: Scored, which: int, judged: bool) -> str:
    total = (scored.fit, scored.engagement)[which].score
    line = f"{plain_points(total):>7}  "
    if scored.stored is None or not judged:
        return line + _("rebuilt for this instant from acts and attributes")
    stored = scored.stored[which]
    mark = "✓" if stored == total else _("✗ differs: acts came in since")
    return line + _("stored {points} {mark}").format(points=plain_points(stored), mark=mark)


def _uncounted(subject: Subject) -> tuple[str, ...]:
    clicks = machine_clicks(subject)
    return (_("not counted: {n} machine clicks; opens are never counted").format(n=clicks),) if clicks else ()


def _stage(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Section:
    name = str(subject.person.fields["stage"])
    last = (
        select(stage_change.c.at)
        .where(stage_change.c.lead_id == subject.lead_id, stage_change.c.at <= subject.at)
        .order_by(stage_change.c.at.desc())
        .limit(1)
    )
    since = session.scalar(last)
    stages = playbook.journey.stages
    lines = [_("since {date}").format(date=f"{since:%Y-%m-%d}")] if since else [_("everybody starts here")]
    for stage in stages[playbook.stage_position(name) : playbook.stage_position(name) + 2]:
        lines += _stage_lines(stage, scored, view, present=stage.name == name)
    return Section(title=_("WHY {stage}").format(stage=name.upper()), lines=tuple(lines))


def _stage_lines(stage: Stage, scored: Scored, view: View, *, present: bool) -> list[str]:
    lines = []
    if stage.when is not None:
        lines.append(_("asks now:") if present else _("next, {stage}:").format(stage=stage.name))
        lines += _proof_lines(_prove(stage.when, scored, view))
    if present and stage.keep_while is not None:
        lines += [_("kept while:"), *_proof_lines(_prove(stage.keep_while, scored, view))]
    return lines


def _prove(condition: Condition, scored: Scored, view: View) -> Proof:
    return prove(condition, scored.person, view.now, view.vocabulary, view.segments, zone=view.zone)


def _proof_lines(proof: Proof, depth: int = 0) -> list[str]:
    mark = "✓" if proof.holds else "✗"
    inner = [line for child in proof.children for line in _proof_lines(child, depth + 1)]
    return [f"{'  ' * depth}{mark} {proof.text}", *inner]


def _segments(playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Section:
    lines = []
    for name, segment in playbook.segments.items():
        inside = name in subject.person.segments
        proof = _prove(segment.when, scored, view)
        if inside or proof.holds:
            title = segment.title.get(current_language(), name)
            lines += [f"{title} ({name})", *_proof_lines(proof, 1)]
    return Section(title=_("SEGMENTS"), lines=tuple(lines) or (_("none"),))


def _qualified(playbook: Playbook, scored: Scored) -> Section:
    criteria = playbook.journey.criteria
    met = {c.name: scored.person.fields.get(f"qualification.{c.name}") == "met" for c in criteria}
    words = []
    for criterion in criteria:
        answer = scored.person.fields.get(criterion.ask) if criterion.ask else None
        said = str(answer) if answer is not None else ("" if criterion.ask is None else _("? not asked"))
        words.append(f"{criterion.name} {'✓' if met[criterion.name] else '✗'} {said}".strip())
    title = _("QUALIFIED {n}/{of}").format(n=sum(met.values()), of=len(criteria))
    return Section(title=title, lines=("   ".join(words),))


def _sales(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> list[Section]:
    query = (
        select(escalation)
        .where(escalation.c.lead_id == subject.lead_id, escalation.c.opened_at <= subject.at)
        .order_by(escalation.c.number.desc())
        .limit(1)
    )
    row = session.execute(query).mappings().one_or_none()
    if row is None:
        return []
    zone = ZoneInfo(playbook.office.zone)
    opened, due = (row[name].astimezone(zone) for name in ("opened_at", "due_at"))
    lines = [
        _("{rule} on {at}: {band} → {rep} (route {route}), answer due {due}; now {state}").format(
            rule=row["rule"],
            at=f"{opened:%Y-%m-%d %H:%M}",
            band=row["band"],
            rep=row["rep"],
            route=row["route"],
            due=f"{due:%Y-%m-%d %H:%M}",
            state=row["state"],
        )
    ]
    rule = next((rule for rule in playbook.sales.hot if rule.name == row["rule"]), None)
    if rule is not None and row["opened_at"] == view.now:
        lines += _proof_lines(_prove(rule.when, scored, view))
    return [Section(title=_("WHY SALES"), lines=tuple(lines))]

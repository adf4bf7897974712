"""Why a person stands at that stage, in those segments, and how far they are qualified."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.dates import date_of
from leadflow.ask.flips import smallest
from leadflow.ask.person import Subject, subject_at, unspent
from leadflow.ask.scores import Scored, plain_points, score_person
from leadflow.ask.section import Section, proved
from leadflow.conditions.dates import iso_words
from leadflow.conditions.evaluate import Person, View, holds
from leadflow.conditions.operands import HUNDREDTHS
from leadflow.conditions.prove import because, prove
from leadflow.conditions.sources import CRITERION
from leadflow.conditions.tree import Condition, FieldLeaf
from leadflow.models import decision, lead_change, lead_state, stage_change
from leadflow.playbook.model import Criterion, Playbook, Stage
from leadflow.text import _, current_language
from leadflow.types import Lifecycle, instant_of, micros


def stage_section(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Section:
    """The stage, what was seen when it was reached, what keeps it, and what the next one asks."""
    name = str(subject.person.fields["stage"])
    stages, place = playbook.journey.stages, playbook.stage_position(name)
    lines = [*_reached(session, playbook, subject, view, stages[place])]
    lines += [*_kept(stages[place], subject, scored, view), *_fading(session, stages[place], subject, view)]
    for following in stages[place + 1 : place + 2]:
        lines += _next(playbook, following, subject, scored, view)
    return Section(title=_("WHY {stage}").format(stage=name.upper()), lines=tuple(lines))


def _reached(session: Session, playbook: Playbook, subject: Subject, view: View, stage: Stage) -> Iterator[str]:
    last = (
        select(stage_change.c.at, stage_change.c.before)
        .where(stage_change.c.lead_id == subject.lead_id, stage_change.c.at <= subject.at)
        .order_by(stage_change.c.at.desc())
        .limit(1)
    )
    move = session.execute(last).one_or_none()
    if move is None:
        yield _("everybody starts here")
        return
    yield _("since {date}, from {before}{seen}").format(
        date=date_of(move.at, view), before=move.before or "–", seen=_seen_then(session, subject, move.at)
    )
    if stage.when is not None:
        yield from _evidence(session, playbook, subject, view, stage.when, move.at)


def _evidence(
    session: Session, playbook: Playbook, subject: Subject, view: View, when: Condition, at: datetime
) -> Iterator[str]:
    """What the stage asks, as it was that night; with today's words for it."""
    then = replace(view, now=at)
    known = subject_at(session, playbook, subject.lead_id, at)
    person = unspent(score_person(session, playbook, known, then).person, known)
    proof = prove(when, person, then)
    if proof.holds:
        yield "✓ " + because(proof)


def _seen_then(session: Session, subject: Subject, at: datetime) -> str:
    """The scores the decision saw, as recorded."""
    mine = (decision.c.lead_id == subject.lead_id, decision.c.kind == "stage", decision.c.at == at)
    saw = session.scalar(select(decision.c.detail).where(*mine).limit(1))
    if not saw or saw.get("band") is None:
        return ""
    return _(": {band} then, fit {fit}, engagement {engagement}").format(
        band=saw["band"], fit=plain_points(saw["fit"]), engagement=plain_points(saw["engagement"])
    )


def _kept(stage: Stage, subject: Subject, scored: Scored, view: View) -> Iterator[str]:
    if stage.keep_while is not None:
        yield _("kept while:")
        yield from _indented(proved(stage.keep_while, unspent(scored.person, subject), view))


def _next(playbook: Playbook, stage: Stage, subject: Subject, scored: Scored, view: View) -> Iterator[str]:
    """What the next stage asks, and the least that would be enough."""
    if stage.when is None:
        return
    person = unspent(scored.person, subject)
    yield _("next, {stage}:").format(stage=stage.name)
    yield from _indented(proved(stage.when, person, view))
    yield from lacking(playbook, person, stage.when, view)


def lacking(playbook: Playbook, person: Person, condition: Condition, view: View) -> Iterator[str]:
    """`it takes 2 points of engagement or 1 visit to /tarifs`, for a condition that does not hold."""
    if holds(condition, person, view):
        return
    found = smallest(playbook, person, condition, view)
    if found:
        yield _("it takes: {what}").format(what=_(", or ").join(flip.words for flip in found))


def _fading(session: Session, stage: Stage, subject: Subject, view: View) -> Iterator[str]:
    """Since when nothing keeps the stage, where today's record still tells."""
    unmet = session.scalar(select(lead_state.c.unmet_since).where(lead_state.c.lead_id == subject.lead_id))
    if unmet is not None and unmet <= subject.at:
        falls = instant_of(micros(unmet) + stage.fall_back_after)
        yield _("nothing keeps it since {since}: goes back on {date} if that lasts").format(
            since=date_of(unmet, view), date=date_of(falls, view)
        )


def segment_section(playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Section:
    """Each segment the record has the person in, and its proof; the main one first. Of the others what they lack."""
    lines: list[str] = []
    inside = subject.person.segments
    order = dict.fromkeys([*playbook.segment_order, *playbook.segments])
    for name in order:
        title = _title(playbook, name)
        when = playbook.segments[name].when
        if name in inside:
            main = " · " + _("main segment") if name == subject.person.fields["segment_main"] else ""
            lines += [f"{title} ({name}){main}", *_indented(proved(when, scored.person, view))]
    for name in order:
        if name not in inside:
            short = " ".join(lacking(playbook, scored.person, playbook.segments[name].when, view))
            outside = _("not in {segment}").format(segment=_title(playbook, name))
            lines.append(_("{what}: {words}").format(what=outside, words=short) if short else outside)
    lines += [_("{name}: no file has it any more").format(name=name) for name in sorted(inside - {*playbook.segments})]
    return Section(title=_("SEGMENTS"), lines=tuple(lines) or (_("none"),))


def _title(playbook: Playbook, name: str) -> str:
    return playbook.segments[name].title.get(current_language(), name)


def qualified_section(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Section:
    """Which criteria are met, with the answers, their sources and dates; what nobody has asked yet is a question."""
    criteria, fields = playbook.journey.criteria, scored.person.fields
    met = {one.name: fields[f"{CRITERION}{one.name}"] == "met" for one in criteria}
    answers = answers_of(session, subject, [one.ask for one in criteria if one.ask], view)
    lines = ["   ".join(_criterion_words(one, scored, answers, met=met[one.name]) for one in criteria)]
    when = playbook.journey.lifecycle.prospect_when
    if when is not None and fields["lifecycle"] == Lifecycle.LEAD:
        person = unspent(scored.person, subject)
        lines += [_("a prospect once:"), *_indented(proved(when, person, view))]
        lines += lacking(playbook, person, when, view)
    title = _("QUALIFIED {n}/{of}").format(n=sum(met.values()), of=len(criteria))
    return Section(title=title, lines=tuple(filter(None, lines)))


def _criterion_words(criterion: Criterion, scored: Scored, answers: Mapping[str, str], *, met: bool) -> str:
    answer = scored.person.fields.get(criterion.ask) if criterion.ask else None
    if answer is None and criterion.ask is not None:
        return f"{criterion.name} {'✓' if met else '?'} " + _("not asked yet")
    if criterion.ask is None and isinstance(criterion.when, FieldLeaf) and criterion.when.field in HUNDREDTHS:
        value = scored.person.fields.get(criterion.when.field)
        answer = plain_points(value) if isinstance(value, int) else None
    source = f" ({answers[criterion.ask]})" if criterion.ask and criterion.ask in answers else ""
    return f"{criterion.name} {'✓' if met else '✗'} {'' if answer is None else answer}{source}".rstrip()


def answers_of(session: Session, subject: Subject, fields: Sequence[str], view: View) -> Mapping[str, str]:
    """Field → who said what is known of it, and when: `form, 9 March`."""
    change, today = lead_change.c, view.now.astimezone(view.zone).date()
    mine = (change.lead_id == subject.lead_id, change.field.in_(fields))
    rows = session.execute(select(change.field, change.source, change.at).where(*mine).order_by(change.at, change.id))
    changes = rows.all()
    later = {row.field for row in changes if row.at > subject.at}
    told = {row.field: (row.source, date_of(row.at, view)) for row in changes if row.at <= subject.at}
    for field, origin in subject.row["provenance"].items():
        if field not in later and origin.get("source"):
            told[field] = origin["source"], iso_words(str(origin.get("on") or "–"), today)
    known = (field for field in fields if field in told and subject.person.fields.get(field) is not None)
    return {field: f"{source_words(told[field][0])}, {told[field][1]}" for field in known}


def source_words(source: str) -> str:
    """Who said it."""
    return {
        "form": _("form"),
        "import": _("import"),
        "sales": _("salesperson"),
        "crm": _("CRM"),
        "api": _("API"),
        "event": _("site"),
    }.get(source, source)


def _indented(lines: list[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)

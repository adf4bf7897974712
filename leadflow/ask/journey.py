"""Why a person stands at that stage, in those segments, and how far they are qualified."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.person import Subject, unspent
from leadflow.ask.scores import Scored, plain_points
from leadflow.ask.section import Section, day, proved
from leadflow.conditions.evaluate import View
from leadflow.conditions.sources import CRITERION
from leadflow.models import decision, lead_state, stage_change
from leadflow.playbook.model import Criterion, Playbook, Stage
from leadflow.text import _, current_language
from leadflow.types import Lifecycle, instant_of, micros


def stage_section(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Section:
    """The stage, what was seen when it was reached, what keeps it, and what the next one asks."""
    name = str(subject.person.fields["stage"])
    stages, place = playbook.journey.stages, playbook.stage_position(name)
    lines = [*_reached(session, subject, view), *_stage_lines(stages[place], subject, scored, view)]
    lines += _fading(session, stages[place], subject, view)
    for following in stages[place + 1 : place + 2]:
        lines += [_("next, {stage}:").format(stage=following.name), *_asked(following, subject, scored, view)]
    return Section(title=_("WHY {stage}").format(stage=name.upper()), lines=tuple(lines))


def _reached(session: Session, subject: Subject, view: View) -> Iterator[str]:
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
        date=day(move.at, view.zone), before=move.before or "–", seen=_seen_then(session, subject, move.at)
    )


def _seen_then(session: Session, subject: Subject, at: datetime) -> str:
    """The scores the decision saw, as recorded."""
    mine = (decision.c.lead_id == subject.lead_id, decision.c.kind == "stage", decision.c.at == at)
    saw = session.scalar(select(decision.c.detail).where(*mine).limit(1))
    if not saw or saw.get("band") is None:
        return ""
    return _(": {band} then, fit {fit}, engagement {engagement}").format(
        band=saw["band"], fit=plain_points(saw["fit"]), engagement=plain_points(saw["engagement"])
    )


def _stage_lines(stage: Stage, subject: Subject, scored: Scored, view: View) -> Iterator[str]:
    if stage.when is not None:
        yield _("asks now:")
        yield from _asked(stage, subject, scored, view)
    if stage.keep_while is not None:
        yield _("kept while:")
        yield from _indented(proved(stage.keep_while, unspent(scored.person, subject), view))


def _asked(stage: Stage, subject: Subject, scored: Scored, view: View) -> Iterator[str]:
    if stage.when is not None:
        yield from _indented(proved(stage.when, unspent(scored.person, subject), view))


def _fading(session: Session, stage: Stage, subject: Subject, view: View) -> Iterator[str]:
    """Since when nothing keeps the stage, where today's record still tells."""
    unmet = session.scalar(select(lead_state.c.unmet_since).where(lead_state.c.lead_id == subject.lead_id))
    if unmet is not None and unmet <= subject.at:
        falls = instant_of(micros(unmet) + stage.fall_back_after)
        yield _("nothing keeps it since {since}: goes back on {date} if that lasts").format(
            since=day(unmet, view.zone), date=day(falls, view.zone)
        )


def segment_section(playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Section:
    """Each segment the record has the person in, and its proof; the main one first."""
    lines = []
    inside = subject.person.segments
    for name in dict.fromkeys([*playbook.segment_order, *playbook.segments]):
        if name in inside:
            segment = playbook.segments[name]
            title = segment.title.get(current_language(), name)
            main = " · " + _("main segment") if name == subject.person.fields["segment_main"] else ""
            lines += [f"{title} ({name}){main}", *_indented(proved(segment.when, scored.person, view))]
    lines += [_("{name}: no file has it any more").format(name=name) for name in sorted(inside - {*playbook.segments})]
    return Section(title=_("SEGMENTS"), lines=tuple(lines) or (_("none"),))


def qualified_section(playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Section:
    """Which criteria are met, with the answers; what nobody has asked yet is a question mark."""
    criteria, fields = playbook.journey.criteria, scored.person.fields
    met = {one.name: fields[f"{CRITERION}{one.name}"] == "met" for one in criteria}
    lines = ["   ".join(_criterion_words(one, scored, met=met[one.name]) for one in criteria)]
    when = playbook.journey.lifecycle.prospect_when
    if when is not None and fields["lifecycle"] == Lifecycle.LEAD:
        lines += [_("a prospect once:"), *_indented(proved(when, unspent(scored.person, subject), view))]
    title = _("QUALIFIED {n}/{of}").format(n=sum(met.values()), of=len(criteria))
    return Section(title=title, lines=tuple(filter(None, lines)))


def _criterion_words(criterion: Criterion, scored: Scored, *, met: bool) -> str:
    answer = scored.person.fields.get(criterion.ask) if criterion.ask else None
    if answer is None and criterion.ask is not None:
        return f"{criterion.name} {'✓' if met else '?'} " + _("not asked yet")
    return f"{criterion.name} {'✓' if met else '✗'} {'' if answer is None else answer}".rstrip()


def _indented(lines: list[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)

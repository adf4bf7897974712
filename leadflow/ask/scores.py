"""Why the scores are what they are, term by term, with the words of each term's proof."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.person import Subject
from leadflow.conditions.evaluate import Act, Person, View, holds
from leadflow.conditions.prove import Proof, prove, span_text
from leadflow.conditions.sources import CRITERION
from leadflow.models import lead_score
from leadflow.playbook.model import EngagementRule, Playbook
from leadflow.scoring import engagement_at, velocity_at
from leadflow.scoring.rules import taken_off, won_by
from leadflow.scoring.sheet import Entry, Sheet, Term, TermKind, add_up, band_of
from leadflow.text import _, ngettext
from leadflow.types import HOUR

#: Days ahead in which `why` looks for the band that doing nothing leads to.
_AHEAD = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Both sheets of a person at an instant, and what the last sweep stored."""

    fit: Sheet
    engagement: Sheet
    velocity: int
    band: str
    veto: str | None
    #: (fit, engagement) as stored, in hundredths; None before the first sweep.
    stored: tuple[int, int] | None
    #: The person with scores and qualification filled in.
    person: Person


def score_person(session: Session, playbook: Playbook, subject: Subject, view: View) -> Scored:
    """The scores rebuilt from acts and attributes alone, as a sweep at the subject's instant computes them."""
    scoring, person = playbook.scoring, subject.person
    points = [
        Entry(rule.name, rule.group, rule.points * 100 if holds(rule.when, person, view) else 0) for rule in scoring.fit
    ]
    fit = add_up(points, scoring.fit_groups)
    heat = engagement_at(person.events, scoring.engagement, scoring.engagement_groups, subject.at)
    veto = next((rule.name for rule in scoring.veto if holds(rule.when, person, view)), None)
    band = band_of(scoring, fit=fit.score, engagement=heat.score, veto=veto)
    velocity = velocity_at(person.events, scoring.engagement, subject.at)
    known = select(lead_score.c.fit, lead_score.c.engagement).where(lead_score.c.lead_id == subject.lead_id)
    row = session.execute(known).one_or_none()
    scores = {"fit": fit.score, "engagement": heat.score, "velocity": velocity, "band": band}
    return Scored(
        fit=fit,
        engagement=heat,
        velocity=velocity,
        band=band,
        veto=veto,
        stored=None if row is None else (row.fit, row.engagement),
        person=_qualified(playbook, replace(person, fields={**person.fields, **scores}), view),
    )


def _qualified(playbook: Playbook, person: Person, view: View) -> Person:
    met = {one.name: holds(one.when, person, view) for one in playbook.journey.criteria}
    words = {f"{CRITERION}{name}": "met" if so else "unmet" for name, so in met.items()}
    return replace(person, fields={**person.fields, **words, "qualification": sum(met.values())})


def fit_lines(playbook: Playbook, scored: Scored, view: View) -> list[str]:
    """One line a term of the fit, its points first, what it rests on last."""
    rules = {rule.name: rule for rule in playbook.scoring.fit}

    def said(term: Term) -> str:
        return _because(prove(rules[term.name].when, scored.person, view))

    return _lines(scored.fit, said)


def engagement_lines(playbook: Playbook, subject: Subject, scored: Scored, view: View) -> list[str]:
    """One line a term of the engagement: how many acts at how many points, and their half-life."""
    rules = {rule.name: rule for rule in playbook.scoring.engagement}
    return _lines(scored.engagement, lambda term: _acts_words(rules[term.name], subject, view))


def _lines(sheet: Sheet, said: Callable[[Term], str]) -> list[str]:
    decimals = any(term.value % 100 for term in sheet.terms)
    lines = []
    for term in sheet.terms:
        words = said(term) if term.kind is TermKind.RULE else _cap_words(term)
        name = term.name if term.kind is not TermKind.GROUP_CAP else _("group {name}").format(name=term.name)
        lines.append(f"{points(term.value, decimals=decimals):>7}  {name:<22}  {words}".rstrip())
    return lines


def sum_line(sheet: Sheet, *, stored: str) -> str:
    """The line under the terms: what they come to, and what the sweep stored."""
    decimals = any(term.value % 100 for term in sheet.terms)
    return f"{points(sheet.score, decimals=decimals).removeprefix('+'):>7}  {stored}"


def points(hundredths: int, *, decimals: bool | None = None) -> str:
    """+15, −5, +13.12; with `decimals` also +15.00, so that a column stands under itself."""
    whole, rest = divmod(abs(hundredths), 100)
    sign = "−" if hundredths < 0 else "+"
    return f"{sign}{whole}.{rest:02}" if rest or decimals else f"{sign}{whole}"


def plain_points(hundredths: int) -> str:
    """The same without a plus."""
    return points(hundredths).removeprefix("+")


def _cap_words(term: Term) -> str:
    match term.kind:
        case TermKind.RULE_CAP:
            return _("the rule stops at its max")
        case TermKind.GROUP_CAP:
            return _("the group stops at its max")
        case _:
            return _("a score stays between 0 and 100")


def _because(proof: Proof) -> str:
    """The leaves that made it hold, in words; two at most."""
    if not proof.children:
        return proof.text
    held = [child for child in proof.children if child.holds] or list(proof.children)
    said = "; ".join(_because(child) for child in held[:2])
    return _("not ({what})").format(what=said) if len(proof.children) == 1 and proof.holds != held[0].holds else said


def _acts_words(rule: EngagementRule, subject: Subject, view: View) -> str:
    acts = [act for act in subject.person.events if won_by(rule).pays(act)]
    parts = [_count_words(rule, acts)]
    if acts:
        last = max(act.occurred_at for act in acts).astimezone(view.zone)
        parts.append(_("last on {date}").format(date=f"{last:%Y-%m-%d}"))
    if any(taken_off(rule).pays(act) for act in subject.person.events):
        parts.append(_("less what sales gave back"))
    parts.append(_("half gone in {span}").format(span=span_text(rule.half_life * HOUR)))
    return ", ".join(parts)


def _count_words(rule: EngagementRule, acts: Sequence[Act]) -> str:
    unsure = sum(0 < act.weight < 100 for act in acts)
    sure = sum(act.weight >= 100 for act in acts)
    words = []
    if sure or not unsure:
        words.append(ngettext("{n} act", "{n} acts", sure).format(n=sure) + f" × {rule.points}")
    if unsure:
        said = ngettext("{n} act of unknown origin", "{n} acts of unknown origin", unsure).format(n=unsure)
        words.append(f"{said} × {rule.points} × 0.3")
    return " + ".join(words)


def machine_clicks(subject: Subject) -> int:
    """Clicks that no person made; they weigh nothing."""
    return sum(act.kind == "email_clicked" and act.weight == 0 for act in subject.person.events)


def cooling(playbook: Playbook, subject: Subject, scored: Scored) -> tuple[int, int, str] | None:
    """Days until the engagement band gets worse without another act, the score then, and that band."""
    scoring, present = playbook.scoring, scored.band[1]
    order = [name for name, _least in scoring.engagement_bands]
    if present not in order:
        return None
    for days in range(1, _AHEAD + 1):
        later = subject.at + timedelta(days=days)
        sheet = engagement_at(subject.person.events, scoring.engagement, scoring.engagement_groups, later)
        band = band_of(scoring, fit=0, engagement=sheet.score, veto=None)[1]
        if band not in order[: order.index(present) + 1]:
            return days, sheet.score, band
    return None

"""Why the scores are what they are, term by term, with the words of each term's proof."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.person import Subject
from leadflow.conditions.evaluate import Act, Person, View, judge
from leadflow.conditions.prove import Proof, prove, span_text
from leadflow.models import lead_score
from leadflow.playbook.model import EngagementRule, Playbook
from leadflow.scoring import engagement_at, velocity_at
from leadflow.scoring.rules import won_by
from leadflow.scoring.sheet import Entry, Sheet, Term, TermKind, add_up, band_of
from leadflow.text import _, ngettext
from leadflow.types import HOUR


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
    #: The person with fit, engagement, velocity and band filled in.
    person: Person


def score_person(session: Session, playbook: Playbook, subject: Subject, view: View) -> Scored:
    """The scores rebuilt from acts and attributes alone, as a sweep at the subject's instant computes them."""
    scoring, person = playbook.scoring, subject.person
    points = [
        Entry(rule.name, rule.group, rule.points * 100 if judge(rule.when, person, view) else 0) for rule in scoring.fit
    ]
    fit = add_up(points, scoring.fit_groups)
    heat = engagement_at(person.events, scoring.engagement, scoring.engagement_groups, subject.at)
    veto = next((rule.name for rule in scoring.veto if judge(rule.when, person, view)), None)
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
        person=replace(person, fields={**person.fields, **scores}),
    )


def fit_lines(playbook: Playbook, subject: Subject, scored: Scored) -> list[str]:
    """One line a term of the fit, its points first, what it rests on last."""
    rules = {rule.name: rule for rule in playbook.scoring.fit}
    lines = []
    for term in scored.fit.terms:
        said = _cap_words(term)
        if term.kind is TermKind.RULE:
            proof = prove(rules[term.name].when, subject.person, subject.at, playbook.vocabulary)
            said = _because(proof)
        lines.append(f"{points(term.value):>7}  {term.name or '':<24}{said}".rstrip())
    return lines


def engagement_lines(playbook: Playbook, subject: Subject, scored: Scored) -> list[str]:
    """One line a term of the engagement: how many acts at how many points, and their half-life."""
    rules = {rule.name: rule for rule in playbook.scoring.engagement}
    lines = []
    for term in scored.engagement.terms:
        said = _acts_words(rules[term.name], subject) if term.kind is TermKind.RULE else _cap_words(term)
        lines.append(f"{points(term.value):>7}  {term.name or '':<24}{said}".rstrip())
    return lines


def points(hundredths: int) -> str:
    """+15, −5, +13.12: whole points without decimals, so that a column adds up as printed."""
    whole, rest = divmod(abs(hundredths), 100)
    sign = "−" if hundredths < 0 else "+"
    return f"{sign}{whole}.{rest:02}" if rest else f"{sign}{whole}"


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
    """The leaf that made it hold, in words; the first one under `any`."""
    if not proof.children:
        return proof.text
    held = [child for child in proof.children if child.holds] or list(proof.children)
    return "; ".join(_because(child) for child in held[:2])


def _acts_words(rule: EngagementRule, subject: Subject) -> str:
    acts = [act for act in subject.person.events if won_by(rule).pays(act)]
    days = ngettext("{n} act", "{n} acts", len(acts)).format(n=len(acts))
    weights = _weights(acts)
    half = _("half gone in {span}").format(span=span_text(rule.half_life * HOUR))
    last = max(act.occurred_at for act in acts).date().isoformat() if acts else "–"
    return f"{days} × {rule.points}{weights}, {_('last on {date}').format(date=last)}, {half}"


def _weights(acts: Sequence[Act]) -> str:
    unsure = sum(act.weight not in (0, 100) for act in acts)
    return _(" ({n} of unknown origin × 0.3)").format(n=unsure) if unsure else ""


def machine_clicks(subject: Subject) -> int:
    """Clicks that no person made; they weigh nothing."""
    return sum(act.kind == "email_clicked" and act.weight == 0 for act in subject.person.events)

"""Why the scores are what they are, term by term, with the words of each term's proof."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.ask.dates import date_of
from leadflow.ask.person import Subject
from leadflow.conditions.evaluate import Act, Person, View, holds
from leadflow.conditions.prove import because, prove, span_text
from leadflow.conditions.sources import CRITERION
from leadflow.models import event, lead_score
from leadflow.playbook.model import EngagementRule, Playbook
from leadflow.scoring import engagement_at, velocity_at
from leadflow.scoring.rules import taken_off, won_by
from leadflow.scoring.sheet import Entry, Sheet, Term, TermKind, add_up, band_of
from leadflow.text import _, decimal
from leadflow.types import CLICK_WEIGHT, FULL_WEIGHT, HOUR, Click

#: Days ahead in which `why` looks for the band that doing nothing leads to.
_AHEAD = 120
#: As many days of acts are named.
_DAYS = 2


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
    known = select(lead_score.c.fit, lead_score.c.engagement).where(lead_score.c.lead_id == subject.lead_id)
    row = session.execute(known).one_or_none()
    return rescored(playbook, subject.person, view, stored=None if row is None else (row.fit, row.engagement))


def rescored(playbook: Playbook, person: Person, view: View, *, stored: tuple[int, int] | None = None) -> Scored:
    """The scores of a person such as this one."""
    scoring = playbook.scoring
    points = [
        Entry(rule.name, rule.group, rule.points * 100 if holds(rule.when, person, view) else 0) for rule in scoring.fit
    ]
    fit = add_up(points, scoring.fit_groups)
    heat = engagement_at(person.events, scoring.engagement, scoring.engagement_groups, view.now)
    veto = next((rule.name for rule in scoring.veto if holds(rule.when, person, view)), None)
    band = band_of(scoring, fit=fit.score, engagement=heat.score, veto=veto)
    velocity = velocity_at(person.events, scoring.engagement, view.now)
    scores = {"fit": fit.score, "engagement": heat.score, "velocity": velocity, "band": band}
    return Scored(
        fit=fit,
        engagement=heat,
        velocity=velocity,
        band=band,
        veto=veto,
        stored=stored,
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
        proof = prove(rules[term.name].when, scored.person, view)
        return because(proof)

    return _lines(scored.fit, said, playbook.scoring.fit_groups, {})


def engagement_lines(playbook: Playbook, subject: Subject, scored: Scored, view: View) -> list[str]:
    """One line a term of the engagement: how many acts at how many points, and their half-life."""
    rules = {rule.name: rule for rule in playbook.scoring.engagement}
    caps = {rule.name: rule.max for rule in playbook.scoring.engagement}
    groups = playbook.scoring.engagement_groups
    return _lines(scored.engagement, lambda term: _acts_words(rules[term.name], subject, view), groups, caps)


def _lines(
    sheet: Sheet, said: Callable[[Term], str], groups: Mapping[str, int], caps: Mapping[str, int | None]
) -> list[str]:
    decimals = any(term.value % 100 for term in sheet.terms)
    lines = []
    for term in sheet.terms:
        words = said(term) if term.kind is TermKind.RULE else _cap_words(term, groups, caps)
        name = term.name if term.kind is not TermKind.GROUP_CAP else _('group "{name}"').format(name=term.name)
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
    return decimal(f"{sign}{whole}.{rest:02}") if rest or decimals else f"{sign}{whole}"


def plain_points(hundredths: int) -> str:
    """The same without a plus."""
    return points(hundredths).removeprefix("+")


def _cap_words(term: Term, groups: Mapping[str, int], caps: Mapping[str, int | None]) -> str:
    match term.kind:
        case TermKind.RULE_CAP:
            return _("stops at {points}").format(points=caps.get(term.name))
        case TermKind.GROUP_CAP:
            return _("stops at {points}").format(points=groups.get(term.name))
        case _:
            return _("a score stays between 0 and 100")


def _acts_words(rule: EngagementRule, subject: Subject, view: View) -> str:
    acts = [act for act in subject.person.events if won_by(rule).pays(act) and act.weight > 0]
    parts = [_count_words(rule, acts), _days_words(acts, view)]
    if any(taken_off(rule).pays(act) for act in subject.person.events):
        parts.append(_("less what sales gave back"))
    parts.append(_("half gone in {span}").format(span=span_text(rule.half_life * HOUR)))
    return ", ".join(filter(None, parts))


def _days_words(acts: Sequence[Act], view: View) -> str:
    """The newest two days."""
    days = list(dict.fromkeys(date_of(act.occurred_at, view) for act in reversed(acts)))
    words = _(" and ").join(days[:_DAYS])
    return _("{days} and before").format(days=", ".join(days[:_DAYS])) if len(days) > _DAYS else words


def _count_words(rule: EngagementRule, acts: Sequence[Act]) -> str:
    unsure = sum(0 < act.weight < FULL_WEIGHT for act in acts)
    sure = sum(act.weight >= FULL_WEIGHT for act in acts)
    if not unsure:
        return f"{sure} × {rule.points}"
    known = [_("{n} human {points}").format(n=sure, points=rule.points)] if sure else []
    share = CLICK_WEIGHT[Click.UNKNOWN] / FULL_WEIGHT
    return ", ".join([*known, _("{n} unknown {points} × {share}").format(n=unsure, points=rule.points, share=share)])


def machine_clicks(session: Session, subject: Subject) -> tuple[int, Sequence[str]]:
    """Clicks that no person made, which weigh nothing, and the rules that say so."""
    mine = (event.c.lead_id == subject.lead_id, event.c.kind == "email_clicked", event.c.weight == 0)
    seen = (event.c.occurred_at < subject.at, event.c.received_at < subject.at)
    rules = list(session.scalars(select(event.c.classified_by).where(*mine, *seen).order_by(event.c.id)))
    return len(rules), list(dict.fromkeys(rule for rule in rules if rule))


def cooling(playbook: Playbook, subject: Subject, scored: Scored) -> tuple[int, int, str] | None:
    """Days until the engagement falls under its band without another act, that bound, and the band then."""
    scoring, present = playbook.scoring, scored.band[1]
    order = [name for name, _least in scoring.engagement_bands]
    if present not in order:
        return None
    for days in range(1, _AHEAD + 1):
        later = subject.at + timedelta(days=days)
        sheet = engagement_at(subject.person.events, scoring.engagement, scoring.engagement_groups, later)
        band = band_of(scoring, fit=0, engagement=sheet.score, veto=None)[1]
        if band not in order[: order.index(present) + 1]:
            return days, dict(scoring.engagement_bands)[present], band
    return None

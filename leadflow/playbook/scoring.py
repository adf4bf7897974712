"""`scoring.yaml`: bands, fit rules with vetoes, engagement rules with half-lives."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from leadflow.conditions.tree import EventLeaf
from leadflow.conditions.vocabulary import Level
from leadflow.playbook.known import Known, name_of, place_of, unique_names
from leadflow.playbook.model import EngagementRule, FitRule, Scoring, VetoRule
from leadflow.playbook.vocabulary import ENGAGEMENT_BANDS, FIT_BANDS, OPENED
from leadflow.reading import Node, did_you_mean
from leadflow.text import _
from leadflow.types import HOUR

R = TypeVar("R")
_DEFAULT_FIT = (("A", 75), ("B", 50), ("C", 25))
_DEFAULT_ENGAGEMENT = (("1", 60), ("2", 35), ("3", 15))


def scoring_of(node: Node, known: Known) -> Scoring:
    """The whole file."""
    node.only("bands", "fit", "engagement")
    bands, fit, engagement = node.part("bands"), node.part("fit", needed=True), node.part("engagement", needed=True)
    bands.only("fit", "engagement")
    fit.only("groups", "rules", "veto")
    engagement.only("groups", "rules")
    fit_groups, engagement_groups = _groups(fit), _groups(engagement)
    return Scoring(
        fit_groups=fit_groups,
        fit=_rules(fit.part("rules"), lambda rule: _fit_rule(rule, fit_groups, known)),
        veto=_rules(fit.part("veto"), lambda rule: _veto(rule, known)),
        engagement_groups=engagement_groups,
        engagement=_rules(engagement.part("rules"), lambda rule: _engagement_rule(rule, engagement_groups, known)),
        fit_bands=_bands(bands.part("fit"), FIT_BANDS, _DEFAULT_FIT),
        engagement_bands=_bands(bands.part("engagement"), ENGAGEMENT_BANDS, _DEFAULT_ENGAGEMENT),
    )


def _bands(node: Node, names: tuple[str, ...], default: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """Lower bounds of all bands but the last, which is below them."""
    if node.absent:
        return default
    node.only(*names[:-1])
    found: list[tuple[str, int]] = []
    for name in names[:-1]:
        bound = node.part(name, needed=True)
        value = bound.integer(at_least=1, at_most=100)
        if value is not None and found and value >= found[-1][1]:
            bound.fault(_("band {band} must begin below band {better}").format(band=name, better=found[-1][0]))
        found.append((name, value or 0))
    return tuple(found)


def _groups(node: Node) -> Mapping[str, int]:
    groups = node.part("groups", needed=True)
    found = {}
    for key, group in groups.items():
        group.only("max")
        name_of(key)
        found[key.raw] = group.part("max", needed=True).integer(at_least=1, at_most=1000) or 0
    return found


def _rules(node: Node, read: Callable[[Node], R]) -> tuple[R, ...]:
    unique_names([rule.part("name") for rule in node.elements()])
    return tuple(read(rule) for rule in node.elements())


def _group(rule: Node, groups: Mapping[str, int]) -> str:
    node = rule.part("group", needed=True)
    if node.raw and node.raw not in groups:
        node.fault(
            _('group "{group}" is not declared under groups.').format(group=node.raw) + did_you_mean(node.raw, groups)
        )
    return node.text() or ""


def _points(rule: Node) -> int:
    return rule.part("points", needed=True).integer(at_least=-100, at_most=100) or 0


def _fit_rule(node: Node, groups: Mapping[str, int], known: Known) -> FitRule:
    node.only("name", "group", "points", "when")
    return FitRule(
        name=name_of(node.part("name", needed=True)),
        group=_group(node, groups),
        points=_points(node),
        when=known.condition(node.part("when", needed=True), limit=Level.GIVEN, reader=_("fit rules")),
        place=place_of(node),
    )


def _veto(node: Node, known: Known) -> VetoRule:
    node.only("name", "when")
    return VetoRule(
        name=name_of(node.part("name", needed=True)),
        when=known.condition(node.part("when", needed=True), limit=Level.GIVEN, reader=_("vetoes")),
        place=place_of(node),
    )


def _engagement_rule(node: Node, groups: Mapping[str, int], known: Known) -> EngagementRule:
    node.only("name", "group", "event", "where", "points", "half_life", "max", "once")
    points = _points(node)
    acts = _acts(node, known)
    return EngagementRule(
        name=name_of(node.part("name", needed=True)),
        group=_group(node, groups),
        events=acts.events if acts else (),
        where=acts.where if acts else {},
        points=points,
        half_life=_half_life(node.part("half_life", needed=True)),
        max=_cap(node, points),
        place=place_of(node),
    )


def _acts(node: Node, known: Known) -> EventLeaf | None:
    """The rule's `event` and `where`, read as the condition language reads them."""
    event = node.part("event", needed=True)
    if OPENED in event.texts():
        event.fault(_("opens cannot score: machines open mails too, and opens are not tracked"))
        return None
    if event.absent:
        return None
    written = [(key, value) for key, value in node.items() if key.raw in ("event", "where")]
    leaf = known.condition(
        Node(node.file, node.line, node.column, node.faults, items=written),
        limit=Level.GIVEN,
        reader=_("engagement rules"),
    )
    return leaf if isinstance(leaf, EventLeaf) else None


def _half_life(node: Node) -> int:
    """Whole hours, 24 at least."""
    span = node.duration()
    if span is None:
        return 24
    if span % HOUR or span < 24 * HOUR:
        node.fault(_("a half-life is a whole number of hours, 24 hours at least"))
    return max(24, span // HOUR)


def _cap(node: Node, points: int) -> int | None:
    once, cap = node.part("once"), node.part("max")
    if once.boolean():
        if not cap.absent:
            cap.fault(_("write once or max, not both: once is max = points"))
        return abs(points)
    return cap.integer(at_least=1, at_most=1000)

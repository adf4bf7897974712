"""`journey.yaml`: stages in order, qualification criteria, and who may move a lead's lifecycle."""

from leadflow.conditions.vocabulary import Level
from leadflow.playbook.known import Known, name_of, place_of
from leadflow.playbook.model import Criterion, Journey, LifecycleRules, Stage
from leadflow.reading import Node, did_you_mean
from leadflow.text import _
from leadflow.types import DAY


def stage_names(journey: Node) -> tuple[str, ...]:
    """The stages' names, readable before anything else is known."""
    return tuple(journey.part("stages").keys())


def criteria_names(journey: Node) -> tuple[str, ...]:
    """The criteria's names, readable before anything else is known."""
    return tuple(journey.part("qualification").part("criteria").keys())


def journey_of(node: Node, known: Known, reject_reasons: tuple[str, ...] | None) -> Journey:
    """The whole file; `reject_reasons` are the words with which sales say no, None when unknown."""
    node.only("stages", "qualification", "lifecycle")
    stages = node.part("stages", needed=True)
    qualification = node.part("qualification")
    qualification.only("criteria")
    return Journey(
        stages=tuple(_stage(key, value, known, first=i == 0) for i, (key, value) in enumerate(stages.items())),
        criteria=tuple(_criterion(key, value, known) for key, value in qualification.part("criteria").items()),
        lifecycle=_lifecycle(node.part("lifecycle"), known, reject_reasons),
    )


def _stage(name: Node, node: Node, known: Known, *, first: bool) -> Stage:
    name_of(name)
    node.only("does", "when", "keep_while", "fall_back_after")
    when, keep_while = node.part("when", needed=not first), node.part("keep_while")
    if first:
        for key in ("when", "keep_while", "fall_back_after"):
            if not node.part(key).absent:
                node.key(key).fault(_("{key} has no place in the first stage: everybody starts there").format(key=key))
    fall_back_after = node.part("fall_back_after").duration()
    return Stage(
        name=name.raw,
        does=node.part("does").text() or "",
        when=known.optional_condition(when, limit=Level.SCORED, reader=_("stages")),
        keep_while=known.optional_condition(keep_while, limit=Level.SCORED, reader=_("stages")),
        fall_back_after=30 * DAY if fall_back_after is None else fall_back_after,
        place=place_of(name),
    )


def _criterion(name: Node, node: Node, known: Known) -> Criterion:
    name_of(name)
    node.only("when", "ask")
    ask = node.part("ask")
    declared = [spec.name for spec in known.vocabulary.fields.values() if not spec.builtin]
    if ask.raw and ask.raw not in declared:
        ask.fault(_('"{field}" is not a declared field.').format(field=ask.raw) + did_you_mean(ask.raw, declared))
    return Criterion(
        name=name.raw,
        when=known.condition(node.part("when", needed=True), limit=Level.SCORED, reader=_("criteria")),
        ask=ask.text(),
    )


def _lifecycle(node: Node, known: Known, reject_reasons: tuple[str, ...] | None) -> LifecycleRules:
    node.only("prospect", "customer", "lead_again", "disqualified")
    prospect, again, gone = node.part("prospect"), node.part("lead_again"), node.part("disqualified")
    prospect.only("when", "or_when_sales")
    node.part("customer").only("when_crm")
    node.part("customer").part("when_crm").choice(["deal_won"])
    again.only("when_sales", "rest", "earlier_acts")
    again.part("when_sales").choices(["rejects", "loses_deal"])
    gone.only("when_sales", "after_rejections")
    acts = again.part("earlier_acts")
    acts.only("score", "stage", "hot")
    for key in ("stage", "hot"):
        acts.part(key).choice(["ignored"])
    no_more = gone.part("when_sales")
    rest, score = again.part("rest").duration(), acts.part("score").percent()
    return LifecycleRules(
        prospect_when=known.optional_condition(prospect.part("when"), limit=Level.STAGED, reader=_("lifecycle moves")),
        prospect_when_sales_accepts=prospect.part("or_when_sales").choice(["accepts"]) is not None,
        rest=60 * DAY if rest is None else rest,
        earlier_acts_score=100 if score is None else score,
        disqualify_reasons=no_more.texts() if reject_reasons is None else no_more.choices(reject_reasons),
        disqualify_after_rejections=gone.part("after_rejections").integer(at_least=1),
    )

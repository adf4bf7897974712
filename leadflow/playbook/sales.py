"""`sales.yaml`: the team, what makes a lead hot, who gets it, and what their answers do."""

import re
from collections.abc import Mapping
from typing import Any

from leadflow.conditions.tree import EventLeaf, leaves
from leadflow.conditions.vocabulary import Level
from leadflow.playbook.known import Known, name_of, place_of, unique_names
from leadflow.playbook.model import Absence, HotRule, NoAnswer, Route, Sales, Salesperson
from leadflow.reading import Node
from leadflow.text import _
from leadflow.types import DAY, HOUR, Answer, Span, SpanKind

_ALERT = re.compile(r"\$[A-Z][A-Z0-9_]*|[a-z][a-z0-9+.-]*://\S+")
_CLICK = {"email_clicked"}
_OVERDUE = ("remind", "next_in_route", "manager")


def sales_of(node: Node, known: Known) -> Sales:
    """The whole file."""
    node.only("team", "manager", "hot", "again", "trigger_only_on", "route", "while_with_sales", "no_answer", "answers")
    team, hot, routes = node.part("team"), node.part("hot"), node.part("route", needed=True)
    for named in (team, hot, routes):
        unique_names([element.part("name") for element in named.elements()])
    rules = tuple(_hot_rule(rule, known) for rule in hot.elements())
    again, trigger = node.part("again"), node.part("trigger_only_on")
    again.only("same_lead", "same_account", "unless")
    trigger.only("acts_newer_than")
    _while_with_sales(node.part("while_with_sales"))
    return Sales(
        team=tuple(_salesperson(person, known) for person in team.elements()),
        manager=_salesperson(node.part("manager", needed=True), known),
        hot=rules,
        routes=tuple(_route(route) for route in routes.elements()),
        same_lead=_or(again.part("same_lead").duration(), 60 * DAY),
        same_account=_or(again.part("same_account").duration(), 7 * DAY),
        again_unless=again.part("unless").choices([rule.name for rule in rules]),
        newer_than=_or(trigger.part("acts_newer_than").duration(), 24 * HOUR),
        no_answer=_no_answer(node.part("no_answer")),
        answers=_answers(node.part("answers"), known.languages),
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _salesperson(node: Node, known: Known) -> Salesperson:
    node.only("name", "languages", "segments", "alert", "at_most", "away")
    alert, limits = node.part("alert"), node.part("at_most")
    if alert.raw and not _ALERT.fullmatch(alert.raw):
        # The value may hold a secret: the message does not repeat it.
        alert.fault(_("expected $NAME of an environment variable, or an apprise URL such as mailto://…"))
    limits.only("per_day", "open")
    return Salesperson(
        name=node.part("name", needed=True).text() or "",
        languages=node.part("languages").choices(known.languages),
        segments=node.part("segments").choices(sorted(known.vocabulary.segments)),
        alert=alert.text() or "",
        per_day=limits.part("per_day").integer(at_least=0),
        open=limits.part("open").integer(at_least=0),
        away=tuple(_absence(absence) for absence in node.part("away").elements()),
    )


def _absence(node: Node) -> Absence:
    node.only("from", "to")
    start, end = node.part("from", needed=True).date(), node.part("to", needed=True).date()
    if start and end and end < start:
        node.part("to").fault(_("the last day away is before the first"))
    return Absence(start=start.isoformat() if start else "", end=end.isoformat() if end else "")


def _hot_rule(node: Node, known: Known) -> HotRule:
    node.only("name", "when", "at", "answer_within")
    when = node.part("when", needed=True)
    condition = known.condition(when, limit=Level.SEGMENTED, reader=_("hot rules"))
    acts = [set(leaf.events) for leaf in leaves(condition) if isinstance(leaf, EventLeaf)]
    if acts and set().union(*acts) == _CLICK:
        when.fault(_("a click in a mail alone cannot make a lead hot: machines click too. Ask for another act besides"))
    return HotRule(
        name=name_of(node.part("name", needed=True)),
        when=condition,
        at=node.part("at").choice(["once", "sweep"]) or "sweep",
        answer_within=node.part("answer_within", needed=True).span() or Span(kind=SpanKind.BUSINESS_DAYS, amount=1),
        place=place_of(node),
    )


def _route(node: Node) -> Route:
    node.only("name", "to", "pick")
    to = node.part("to", needed=True)
    pick = node.part("pick").choice(["least_recent"]) or "least_recent"
    name = name_of(node.part("name", needed=True))
    if to.is_mapping:
        to.only("team_by")
        by = to.part("team_by", needed=True).choices(["segment", "language"])
        return Route(name=name, to="team_by", by=by, pick=pick)
    return Route(name=name, to=to.choice(["account_owner", "manager"]) or "manager", pick=pick)


def _while_with_sales(node: Node) -> None:
    """Pausing sequences while service mails go on is the only way there is; the words are there to be read."""
    node.only("sequences", "service_mails")
    node.part("sequences").choices(["pause"])
    node.part("service_mails").choice(["continue"])


def _no_answer(node: Node) -> NoAnswer:
    node.only("at_100_percent", "at_200_percent", "at_300_percent", "after", "then")
    node.part("then").choice(["lead_again"])
    return NoAnswer(
        at_100=node.part("at_100_percent").choice(_OVERDUE) or "remind",
        at_200=node.part("at_200_percent").choice(_OVERDUE) or "next_in_route",
        at_300=node.part("at_300_percent").choice(_OVERDUE) or "manager",
        after=_or(node.part("after").duration(), 14 * DAY),
    )


def _answers(node: Node, languages: tuple[str, ...]) -> Mapping[str, Mapping[str, Any]]:
    node.only(*Answer)
    return {key.raw: _answer(value, languages) for key, value in node.items()}


def _answer(node: Node, languages: tuple[str, ...]) -> Mapping[str, Any]:
    node.only("label", "reasons", "ask")
    for element in node.part("reasons").elements():
        name_of(element)
    return {
        "label": node.part("label").localised(languages),
        "reasons": node.part("reasons").texts(),
        "ask": node.part("ask").choice(["date", "amount"]),
    }

"""`leadflow.yaml`, `delivery`: how fast and how much mail may leave, of all workers together, and what stops it."""

import re
from collections.abc import Mapping

from leadflow.playbook.model import Brakes, Canary, Delivery, Outage, WarmUp
from leadflow.reading import Node
from leadflow.text import _
from leadflow.types import Rate

#: In the place of a domain: all those not named.
OTHERS = "others"
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def delivery_of(node: Node) -> Delivery:
    """`delivery: {rate, domains, warm_up, canary, on_unknown, grace, outage, brakes}`; all of it may be left out."""
    node.only("rate", "domains", "warm_up", "canary", "on_unknown", "grace", "outage", "brakes")
    usual = Delivery()
    return Delivery(
        rate=node.part("rate").rate(),
        domains=_domains(node.part("domains")),
        on_unknown=node.part("on_unknown").choice(["hold", "resend"]) or usual.on_unknown,
        grace=_some_time(node.part("grace"), usual.grace),
        canary=_canary(node.part("canary")),
        warm_up=_warm_up(node.part("warm_up")),
        outage=_outage(node.part("outage")),
        brakes=_brakes(node.part("brakes")),
    )


def _domains(node: Node) -> Mapping[str, Rate]:
    """`domains: {gmail.com: 10 per second, others: 30 per second}`."""
    found = {}
    for name, value in node.items():
        if name.raw != OTHERS and not _DOMAIN.fullmatch(name.raw):
            told = _('"{word}" is no domain: write gmail.com, or others for all those not named')
            name.fault(told.format(word=name.raw))
        if (rate := value.rate()) is not None:
            found[name.raw] = rate
    return found


def _some_time(node: Node, usual: int) -> int:
    span = node.duration()
    if span == 0:
        node.fault(_("{value} is too small: {limit} at least").format(value=node.raw, limit="1 minute"))
    return span or usual


def _canary(node: Node) -> Canary | None:
    """`canary: {first: 50, or_share: 2 %, wait: 30 minutes}`."""
    if node.absent:
        return None
    node.only("first", "or_share", "wait")
    usual = Canary()
    share = node.part("or_share").percent()
    return Canary(
        first=node.part("first").integer(at_least=1) or usual.first,
        share=usual.share if share is None else share,
        wait=_some_time(node.part("wait"), usual.wait),
    )


def _warm_up(node: Node) -> WarmUp | None:
    """`warm_up: {from: 2026-11-23, first_day: 200, growth: 30 %, until: 50000}`."""
    if node.absent:
        return None
    node.only("from", "first_day", "growth", "until")
    since = node.part("from", needed=True).date()
    growth = node.part("growth", needed=True)
    percent = growth.percent()
    if percent == 0:
        growth.fault(_("{value} is too small: {limit} at least").format(value=growth.raw, limit="1 %"))
    first = node.part("first_day", needed=True).integer(at_least=1)
    until = node.part("until", needed=True).integer(at_least=1)
    if since is None or not percent or first is None or until is None:
        return None
    return WarmUp(since=since, first_day=first, growth=percent, until=until)


def _outage(node: Node) -> Outage:
    """`outage: {after: 5, retry_after: 1 minute}`."""
    node.only("after", "retry_after")
    usual = Outage()
    return Outage(
        after=node.part("after").integer(at_least=1, at_most=1000) or usual.after,
        retry_after=_some_time(node.part("retry_after"), usual.retry_after),
    )


def _brakes(node: Node) -> Brakes:
    """`brakes: {complaints: {pause_stream, stop_all}, bounces: {warn, pause_stream}, refusals: {pause_stream}, …}`."""
    node.only("complaints", "bounces", "refusals", "over", "from_sends")
    complaints, bounces, refusals = (node.part(name) for name in ("complaints", "bounces", "refusals"))
    complaints.only("pause_stream", "stop_all")
    bounces.only("warn", "pause_stream")
    refusals.only("pause_stream")
    usual = Brakes()
    found = Brakes(
        complaints=complaints.part("pause_stream").share() or usual.complaints,
        complaints_all=complaints.part("stop_all").share() or usual.complaints_all,
        bounces_told=bounces.part("warn").share() or usual.bounces_told,
        bounces=bounces.part("pause_stream").share() or usual.bounces,
        refusals=refusals.part("pause_stream").share() or usual.refusals,
        over=_some_time(node.part("over"), usual.over),
        at_least=node.part("from_sends").integer(at_least=1) or usual.at_least,
    )
    _in_order(complaints, found.complaints, found.complaints_all)
    _in_order(bounces, found.bounces_told, found.bounces)
    return found


def _in_order(node: Node, milder: int, harder: int) -> None:
    if harder < milder:
        node.fault(_("the second number is below the first: what is milder would never come"))

"""`leadflow.yaml`, the second half: `never`, `pressure`, `window`, `brake`, the limits nobody may cross."""

import re

from leadflow.conditions.vocabulary import Level
from leadflow.playbook.known import Known, place_of, unique_names
from leadflow.playbook.model import Brake, Cap, NeverRule, Pressure, Window
from leadflow.reading import Node
from leadflow.text import _
from leadflow.types import DAY, HOUR, Purpose, Span, SpanKind

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_CAPS = (Cap(n=1, span=48 * HOUR), Cap(n=2, span=7 * DAY), Cap(n=6, span=30 * DAY))
_CAP = re.compile(r"per_([1-9][0-9]{0,2})d")


def never_of(node: Node, known: Known) -> tuple[NeverRule, ...]:
    """`never: [{name, when, unless_purpose}]`."""
    unique_names([rule.part("name") for rule in node.elements()])
    return tuple(_never(rule, known) for rule in node.elements())


def _never(node: Node, known: Known) -> NeverRule:
    node.only("name", "when", "unless_purpose")
    when = node.part("when", needed=True)
    return NeverRule(
        name=node.part("name", needed=True).text() or "",
        when=known.condition(when, limit=Level.SEGMENTED, reader=_("never rules")),
        unless_purpose=node.part("unless_purpose").choices([*Purpose]),
        place=place_of(node),
    )


def pressure_of(node: Node) -> Pressure:
    """`pressure: {per_7d: 2, per_30d: 6, gap: 48 hours, defer_at_most: 5 business_days, then: skip_step}`.

    Where no cap is written, those hold: a section lost in a merge must not let everything out.
    """
    caps = {key.raw: (int(match[1]), value) for key, value in node.items() if (match := _CAP.fullmatch(key.raw))}
    node.only(*caps, "per_7d", "per_30d", "gap", "defer_at_most", "then")
    node.part("then").choice(["skip_step"])
    found = [Cap(n=value.integer(at_least=1, at_most=1000) or 1, span=days * DAY) for days, value in caps.values()]
    if gap := node.part("gap").duration():
        found.append(Cap(n=1, span=gap))
    return Pressure(
        caps=tuple(sorted(found or DEFAULT_CAPS, key=lambda cap: cap.n)),
        defer_at_most=node.part("defer_at_most").span() or Span(kind=SpanKind.BUSINESS_DAYS, amount=5),
    )


def window_of(node: Node) -> Window:
    """`window: {days: […], from: "09:00", to: "17:00", holidays, spread, max_share_per_hour}`."""
    node.only("days", "from", "to", "holidays", "spread", "max_share_per_hour")
    start, end = node.part("from").wall_time(), node.part("to").wall_time()
    if start is not None and end is not None and end <= start:
        told = _("the window is open over midnight, from {start} to {end}: mails leave at night")
        node.part("to").fault(told.format(start=node.part("from").raw, end=node.part("to").raw), warning=True)
    share = node.part("max_share_per_hour")
    percent = share.percent()
    if percent == 0:
        share.fault(_("nothing would ever leave: 1 % at least"))
    spread = node.part("spread").duration()
    return Window(
        days=days_of(node.part("days")) or (0, 1, 2, 3, 4),
        start=9 * 60 if start is None else start,
        end=17 * 60 if end is None else end,
        holidays=node.part("holidays").choice(["lead_country", "office", "none"]) or "lead_country",
        spread=2 * HOUR if spread is None else spread,
        max_share_per_hour=percent or 100,
    )


def days_of(node: Node) -> tuple[int, ...]:
    """Places in the week of `[mon, fri]`, in order; 0 is Monday."""
    return tuple(sorted({DAYS.index(day) for day in node.choices(DAYS)}))


def brake_of(node: Node) -> Brake:
    """`brake: {hold_when: {sends_over, times_usual, handovers_over}, release: leadflow approve}`."""
    node.only("hold_when", "release")
    node.part("release").choice(["leadflow approve"])
    hold = node.part("hold_when")
    hold.only("sends_over", "times_usual", "handovers_over")
    return Brake(
        sends_over=hold.part("sends_over").integer(at_least=0),
        times_usual=hold.part("times_usual").integer(at_least=1),
        handovers_over=hold.part("handovers_over").integer(at_least=0),
    )

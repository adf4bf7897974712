"""Tells salespeople of their hand-overs: a raised hand alone and at once, the others in one digest a day's opening."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from leadflow.errors import ProviderError
from leadflow.models import escalation
from leadflow.pipeline.alert_facts import Facts, untold
from leadflow.pipeline.alert_layout import as_html, as_text
from leadflow.pipeline.alert_text import Door, digest_title, spoken_to, told_of
from leadflow.playbook.model import Playbook, Salesperson
from leadflow.ports import Alert, AlertChannel, Crm, HandOver
from leadflow.types import Span, SpanKind, micros
from leadflow.windows import due_after

_log = logging.getLogger(__name__)
#: Alerts whose answers are typed.
NO_DOOR = Door()


def tell_sales(
    engine: Engine, playbook: Playbook, now: datetime, *, channel: AlertChannel, crm: Crm, door: Door = NO_DOOR
) -> int:
    """Tell everybody whose alert waits; how many hand-overs were told.

    Each is marked in a transaction of its own after the telling, so a process that dies between the two tells again:
    a repeated alert costs a glance, a lost one a customer. A channel that fails leaves the mark off, for the next time.
    """
    with Session(engine) as session:
        waiting = untold(session, playbook, now)
        opened = due_after(session, playbook, now, Span(kind=SpanKind.BUSINESS_HOURS, amount=0)) <= now
    alone = {rule.name for rule in playbook.sales.hot if rule.at == "once"} | set(playbook.sales.again_unless)
    at_once = [facts for facts in waiting if facts.row.rule in alone or facts.row.raised_at]
    rest = sorted((facts for facts in waiting if facts not in at_once), key=lambda facts: str(facts.row.rep))
    digests = [list(group) for _rep, group in groupby(rest, key=lambda facts: str(facts.row.rep))] if opened else []
    telling = _Telling(engine=engine, playbook=playbook, now=now, channel=channel, crm=crm, door=door)
    return sum(_tell(telling, group) for group in (*([facts] for facts in at_once), *digests))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Telling:
    engine: Engine
    playbook: Playbook
    now: datetime
    channel: AlertChannel
    crm: Crm
    door: Door


def _tell(telling: _Telling, group: Sequence[Facts]) -> int:
    ids = [facts.row.id for facts in group]
    try:
        for facts in group:
            telling.crm.hand_over(hand_over_of(facts))
    except ProviderError as error:
        # A CRM that is down must not keep the salesperson waiting. Ids alone: what failed may name people.
        _log.error("hand-overs %s did not reach the CRM %s: %s", ids, telling.crm.name, type(error).__name__)
    try:
        telling.channel.tell(alert_of(telling.playbook, group, telling.now, telling.door))
    except ProviderError as error:
        _log.error("nobody was told of hand-overs %s: %s", ids, type(error).__name__)
        return 0
    with Session(telling.engine) as session, session.begin():
        told = escalation.c.id.in_(ids) & escalation.c.alerted_at.is_(None)
        session.execute(update(escalation).where(told).values(alerted_at=micros(telling.now)))
    return len(group)


def alert_of(playbook: Playbook, group: Sequence[Facts], now: datetime, door: Door) -> Alert:
    """One alert for the hand-overs of one salesperson."""
    rep = rep_of(playbook, group[0].row.rep)
    with spoken_to(rep, playbook):
        told = [told_of(facts, playbook, now, door) for facts in group]
        title = digest_title(rep, told)
        text, html = as_text(told), as_html(title, told)
    return Alert(escalation_id=group[0].row.id, to=rep.name, url=rep.alert, title=f"🔥 {title}", body=text, html=html)


def hand_over_of(facts: Facts) -> HandOver:
    """What a CRM gets of a hand-over."""
    row = facts.row
    names = ("first_name", "last_name", "company", "address", "phone", "language", "country", "source")
    person = {"id": row.lead_id} | {name: getattr(row, name) for name in names}
    judged = {"band": row.band, "stage": row.stage, "lifecycle": row.lifecycle, "attributes": dict(row.attributes)}
    return HandOver(escalation_id=row.id, lead=person | judged, rule=row.rule, rep=row.rep, due_at=row.due_at)


def rep_of(playbook: Playbook, name: str) -> Salesperson:
    """The salesperson of that name; the manager for somebody who has left the team."""
    manager = playbook.sales.manager
    return next((rep for rep in (*playbook.sales.team, manager) if rep.name == name), manager)

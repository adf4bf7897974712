"""Keeps the record of the networks that visits come from: what one of them does in many mails judges all it does."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, delete, func, select
from sqlalchemy.orm import Session

from leadflow.db import among, insert_into
from leadflow.intake.click_signs import ECHO_WITHIN, Sign
from leadflow.intake.clicks import Record, Standing, standing_of
from leadflow.models import hit, message, network
from leadflow.pipeline.engage_signs import is_known

#: Network → others that asked for the same link of the same mail within seconds.
_Partners = Mapping[str, Set[str]]


def judge_networks(session: Session, looked: Set[str], now: datetime) -> Set[str]:
    """Judge the networks `looked` at and those beside them anew; those whose standing changed.

    A few statements for any number, and a few more where networks follow each other.
    """
    if not looked:
        return frozenset()
    beside: dict[str, Set[str]] = {}
    wider: Set[str] = looked
    # Who stands beside whom, thrice: a network is compared with its partners, and they with theirs.
    for _round in range(3):
        found = _partners(session, wider - beside.keys(), now)
        beside |= found
        wider = frozenset().union(*found.values()) - beside.keys()
        if not wider:
            break
    asked = looked | frozenset().union(*(beside[name] for name in looked))
    counted = _records(session, asked, now)
    standings = {name: standing_of(_with_partners(counted[name], name, beside)) for name in asked & counted.keys()}
    return _keep(session, standings)


def _with_partners(row: Mapping[str, int], name: str, beside: _Partners) -> Record:
    own = beside.get(name, frozenset())
    rivals = max((len(beside.get(other, ())) for other in own), default=0)
    return Record(**row, echoes=len(own), rivals=rivals)


def _records(session: Session, networks: Set[str], now: datetime) -> Mapping[str, Mapping[str, int]]:
    rows = session.execute(
        select(
            hit.c.ip,
            func.count(hit.c.message_id.distinct()).label("mails"),
            func.count(message.c.address_id.distinct()).label("recipients"),
            _mails_with(Sign.SOON).label("soon"),
            _mails_with(Sign.HIDDEN).label("hidden"),
            _mails_with(Sign.QUICKLY | Sign.IN_TURN).label("quickly"),
        )
        .select_from(hit.join(message, message.c.id == hit.c.message_id))
        .where(among(session, hit.c.ip, networks), hit.c.signs.is_not(None), is_known(now))
        .group_by(hit.c.ip)
    )
    return {row["ip"]: {name: row[name] for name in row if name != "ip"} for row in rows.mappings()}


def _mails_with(sign: Sign) -> Any:
    shown = case((hit.c.signs.bitwise_and(int(sign)) != 0, hit.c.message_id))
    return func.count(shown.distinct())


def _partners(session: Session, networks: Set[str], now: datetime) -> dict[str, Set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in session.execute(_pairs(session, networks, now)):
        found[one].add(other)
    return {name: found[name] for name in networks}


def _pairs(session: Session, networks: Iterable[str], now: datetime) -> Select[Any]:
    """(network, other): the same link of the same mail within seconds."""
    other = hit.alias("other")
    near = other.c.at.between(hit.c.at - ECHO_WITHIN, hit.c.at + ECHO_WITHIN)
    same = (other.c.message_id == hit.c.message_id) & (other.c.link_id == hit.c.link_id) & near
    return (
        select(hit.c.ip, other.c.ip)
        .distinct()
        .select_from(hit.join(other, same))
        .where(among(session, hit.c.ip, networks), other.c.ip != hit.c.ip, is_known(now))
        .where(hit.c.signs.bitwise_and(int(Sign.ECHO)) != 0, other.c.signs.bitwise_and(int(Sign.ECHO)) != 0)
    )


def _keep(session: Session, standings: Mapping[str, Standing]) -> Set[str]:
    """Store the standings that are not stored yet; those whose they are."""
    known = select(network.c.network, network.c.standing).where(among(session, network.c.network, standings))
    stored = {name: Standing(kept) for name, kept in session.execute(known)}
    changed = {name for name, found in standings.items() if found != stored.get(name, Standing(0))}
    if changed:
        session.execute(delete(network).where(among(session, network.c.network, changed)))
        rows = [{"network": name, "standing": int(standings[name])} for name in sorted(changed) if standings[name]]
        if rows:
            session.execute(insert_into(session, network).values(rows))
    return changed

"""What the visits of one mail's links show by themselves: signs, kept on each raw hit, that rules judge by."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntFlag, auto

from leadflow.intake.click_agents import is_odd, is_outdated, is_scanner
from leadflow.intake.hosting import is_hosting
from leadflow.types import SECOND


class Sign(IntFlag):
    """What speaks for a machine; kept as a number, so a new one takes the next bit."""

    #: Asked for the head alone, or the same visitor did of the same link.
    HEAD = auto()
    #: Its browser said that nobody has clicked yet.
    AHEAD = auto()
    #: The same visitor followed the link that no reader sees.
    HIDDEN = auto()
    #: Calls itself a scanner, a preview, a crawler or a library.
    SCANNER = auto()
    #: Calls itself something that is no browser.
    ODD = auto()
    #: Calls itself nothing.
    NAMELESS = auto()
    #: A browser that nobody has had for years.
    OUTDATED = auto()
    #: One of three links and more within two seconds.
    AT_ONCE = auto()
    #: One of two links within two seconds.
    TWO_AT_ONCE = auto()
    #: One of five links and more, each a few seconds after the other.
    IN_TURN = auto()
    #: One of three links or four, each a few seconds after the other.
    QUICKLY = auto()
    #: Before, or within seconds of, the mail's arrival.
    AT_ARRIVAL = auto()
    #: So soon that a person hardly was there.
    HARDLY_READ = auto()
    #: Within a minute or two of the mail's arrival.
    SOON = auto()
    #: From networks that rent machines.
    HOSTING = auto()
    #: One agent in several networks within a minute.
    SPREAD = auto()
    #: Another network asked for the same link within seconds.
    ECHO = auto()
    #: … and that one is not rented, as this one is.
    SHADOW = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request for a link of a message."""

    link: str
    at: datetime
    method: str = "GET"
    user_agent: str | None = None
    #: The network it came from: an address with its last part cut.
    network: str | None = None
    #: It said itself that it only fetches ahead.
    ahead: bool = False
    #: Of the link that no reader sees.
    hidden: bool = False


_AT_ONCE = timedelta(seconds=2)
_IN_TURN = timedelta(seconds=15)
#: Microseconds.
ECHO_WITHIN = 3 * SECOND
_ECHO = timedelta(microseconds=ECHO_WITHIN)
_SPREAD = timedelta(minutes=1)
_HIDDEN = timedelta(minutes=2)
_SAME_VISIT = timedelta(minutes=30)
_AT_ARRIVAL = timedelta(seconds=3)
_HARDLY_READ = timedelta(seconds=20)
_SOON = timedelta(seconds=90)


def signs_of(visits: Sequence[Visit], arrived_at: datetime | None) -> list[Sign]:
    """The signs of each of a message's `visits`, in their order; `arrived_at` is when it came, else when it left."""
    order = sorted(range(len(visits)), key=lambda i: visits[i].at)
    seen = [visits[i] for i in order]
    times = [visit.at for visit in seen]
    found = [_alone(visit, arrived_at) for visit in seen]
    for i, visit in enumerate(seen):
        found[i] |= _beside(visit, seen, times)
    turns = _turns([i for i in range(len(seen)) if not found[i] & Sign.AT_ONCE], seen)
    for i, sign in turns.items():
        found[i] |= sign
    said = [Sign(0)] * len(visits)
    for place, sign in zip(order, found, strict=True):
        said[place] = sign
    return said


def _alone(visit: Visit, arrived_at: datetime | None) -> Sign:
    agent = (visit.user_agent or "").strip()
    said = {
        Sign.AHEAD: visit.ahead,
        Sign.NAMELESS: not agent,
        Sign.SCANNER: is_scanner(agent),
        Sign.ODD: bool(agent) and is_odd(agent),
        Sign.OUTDATED: is_outdated(agent, visit.at.year),
        Sign.HOSTING: is_hosting(visit.network),
    }
    if arrived_at is not None:
        after = visit.at - arrived_at
        said |= {
            Sign.AT_ARRIVAL: after < _AT_ARRIVAL,
            Sign.HARDLY_READ: after < _HARDLY_READ,
            Sign.SOON: after < _SOON,
        }
    return _sum(said)


def _beside(visit: Visit, seen: Sequence[Visit], times: Sequence[datetime]) -> Sign:
    """What the visits around `visit` say of it."""
    around = _within(visit, seen, times, _SAME_VISIT)
    same = [other for other in around if _is_same(visit, other)]
    close = [other for other in same if abs(other.at - visit.at) <= _AT_ONCE]
    minute = [other for other in around if abs(other.at - visit.at) <= _SPREAD]
    others = [
        other for other in minute if other.network != visit.network and None not in (other.network, visit.network)
    ]
    echoes = [other for other in others if other.link == visit.link and abs(other.at - visit.at) <= _ECHO]
    return _sum(
        {
            Sign.HEAD: any(other.method.upper() != "GET" and other.link == visit.link for other in same),
            Sign.HIDDEN: any(other.hidden and abs(other.at - visit.at) <= _HIDDEN for other in same),
            Sign.AT_ONCE: _most_links(visit, close) > 2,
            Sign.TWO_AT_ONCE: len({other.link for other in close}) > 1,
            Sign.SPREAD: any(o.user_agent == visit.user_agent and o.link != visit.link for o in others),
            Sign.ECHO: bool(echoes),
            Sign.SHADOW: is_hosting(visit.network) and any(not is_hosting(other.network) for other in echoes),
        }
    )


def _is_same(visit: Visit, other: Visit) -> bool:
    """Whether both are one visitor: the same network, or a scanner's several networks with one name."""
    if visit.network == other.network:
        return visit.user_agent == other.user_agent
    return visit.user_agent == other.user_agent and abs(visit.at - other.at) <= _SPREAD


def _most_links(visit: Visit, close: Sequence[Visit]) -> int:
    """How many links a window of two seconds holds at most that `visit` lies in."""
    starts = [other.at for other in close if other.at <= visit.at]
    return max(len({o.link for o in close if start <= o.at <= start + _AT_ONCE}) for start in starts)


def _within(visit: Visit, seen: Sequence[Visit], times: Sequence[datetime], span: timedelta) -> Sequence[Visit]:
    return seen[bisect_left(times, visit.at - span) : bisect_right(times, visit.at + span)]


def _turns(places: Sequence[int], seen: Sequence[Visit]) -> dict[int, Sign]:
    """Chains of one agent's visits of different links, each soon after the one before."""
    chains: dict[str | None, list[list[int]]] = {}
    for i in places:
        runs = chains.setdefault(seen[i].user_agent, [])
        if runs and seen[i].at - seen[runs[-1][-1]].at <= _IN_TURN:
            runs[-1].append(i)
        else:
            runs.append([i])
    found: dict[int, Sign] = {}
    for chain in (chain for runs in chains.values() for chain in runs):
        links = len({seen[i].link for i in chain})
        if links > 2:
            found |= dict.fromkeys(chain, Sign.IN_TURN if links > 4 else Sign.QUICKLY)
    return found


def _sum(said: dict[Sign, bool]) -> Sign:
    found = Sign(0)
    for sign, holds in said.items():
        if holds:
            found |= sign
    return found

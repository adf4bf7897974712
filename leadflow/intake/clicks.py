"""Judges clicks by named rules: a person, a machine that opens links for its owner, or nobody can tell.

The rules only look at the hits of one message. A judgement carries the rule's name and `VERSION`, and hits are kept,
so that a better rule can judge them again.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from leadflow.types import Click

#: Grows with every change of a rule.
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request for a link of a message."""

    link: str
    at: datetime
    method: str = "GET"
    user_agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Who made a visit, and the rule that says so."""

    click: Click
    rule: str

    @property
    def classified_by(self) -> str:
        """`no-time-to-read/1`: what an event keeps."""
        return f"{self.rule}/{VERSION}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a rule may look at besides the visit."""

    #: All visits of the message, this one included.
    visits: Sequence[Visit]
    #: When it arrived, else when it was sent.
    arrived_at: datetime | None


#: Words of programs that fetch links: mail gateways, previews, crawlers, libraries.
_SCANNERS = re.compile(
    r"barracuda|mimecast|proofpoint|safelinks|ironport|trendmicro|symantec|messagelabs|forcepoint|fireeye|sophos"
    r"|bitdefender|urldefense|google(imageproxy|bot|-safety)|bingpreview|bingbot|yahoo.?slurp|slackbot|teams.?link"
    r"|facebookexternalhit|linkedinbot|twitterbot|whatsapp|skypeuripreview|telegrambot|discordbot"
    r"|headlesschrome|phantomjs|puppeteer|playwright"
    r"|\b(bot|crawler|spider|scanner|preview)\b"
    r"|^(curl|wget|python-|java/|go-http|okhttp|libwww|axios|node-fetch|ruby|php|apache-httpclient)",
    re.IGNORECASE,
)
_AT_ONCE = timedelta(seconds=2)
_NO_TIME_TO_READ = timedelta(seconds=5)
_HARDLY_TIME_TO_READ = timedelta(seconds=20)


def _asks_for_the_head_only(visit: Visit, _context: Context) -> bool:
    return visit.method.upper() != "GET"


def _says_it_is_a_scanner(visit: Visit, _context: Context) -> bool:
    return bool(visit.user_agent) and _is_scanner(visit.user_agent or "")


@lru_cache(maxsize=4_096)
def _is_scanner(agent: str) -> bool:
    return bool(_SCANNERS.search(agent))


def _opens_all_links_at_once(visit: Visit, context: Context) -> bool:
    near = {other.link for other in context.visits if abs(other.at - visit.at) <= _AT_ONCE}
    return len(near) > 1


def _had_no_time_to_read(visit: Visit, context: Context) -> bool:
    return context.arrived_at is not None and visit.at - context.arrived_at < _NO_TIME_TO_READ


def _had_hardly_time_to_read(visit: Visit, context: Context) -> bool:
    return context.arrived_at is not None and visit.at - context.arrived_at < _HARDLY_TIME_TO_READ


def _does_not_say_who_it_is(visit: Visit, _context: Context) -> bool:
    return not (visit.user_agent or "").strip()


#: The first rule that holds judges; no rule: a person.
RULES: Sequence[tuple[str, Click, Callable[[Visit, Context], bool]]] = (
    ("head-request", Click.MACHINE, _asks_for_the_head_only),
    ("scanner-agent", Click.MACHINE, _says_it_is_a_scanner),
    ("all-links-at-once", Click.MACHINE, _opens_all_links_at_once),
    ("no-time-to-read", Click.MACHINE, _had_no_time_to_read),
    ("hardly-time-to-read", Click.UNKNOWN, _had_hardly_time_to_read),
    ("no-agent", Click.UNKNOWN, _does_not_say_who_it_is),
)
PERSON = Judgement(click=Click.HUMAN, rule="person")


def judge(visit: Visit, context: Context) -> Judgement:
    """Who made `visit`."""
    for name, click, holds in RULES:
        if holds(visit, context):
            return Judgement(click=click, rule=name)
    return PERSON

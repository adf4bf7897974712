"""Where a visit came from: what its address says (utm_*, the ids that networks add), else the page that led here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

#: A visit nobody led here.
DIRECT = "direct"
_LONGEST = 100

#: Ids that networks add to the addresses of their ads → network and medium.
CLICK_IDS: Mapping[str, tuple[str, str]] = {
    "gclid": ("google", "cpc"),
    "msclkid": ("bing", "cpc"),
    "li_fat_id": ("linkedin", "cpc"),
    "fbclid": ("facebook", "social"),
}
#: Name of a network by the hosts it links from; the words around stand for any country and service of it.
_NETWORKS: tuple[tuple[str, str, str], ...] = (
    (r"outlook\.(live|office|office365)\.com|(web)?mail\.[a-z0-9.-]+", "", "email"),
    (r"(.+\.)?google\.[a-z.]{2,6}", "google", "organic"),
    (r"(.+\.)?bing\.com", "bing", "organic"),
    (r"(.+\.)?duckduckgo\.com", "duckduckgo", "organic"),
    (r"(.+\.)?qwant\.com", "qwant", "organic"),
    (r"(.+\.)?ecosia\.org", "ecosia", "organic"),
    (r"(.+\.)?yahoo\.(com|co\.jp)|(.+\.)?search\.yahoo\.com", "yahoo", "organic"),
    (r"search\.brave\.com", "brave", "organic"),
    (r"(.+\.)?linkedin\.com|lnkd\.in|com\.linkedin\.android", "linkedin", "social"),
    (r"(.+\.)?facebook\.com|fb\.me", "facebook", "social"),
    (r"(.+\.)?instagram\.com", "instagram", "social"),
    (r"(.+\.)?twitter\.com|t\.co|x\.com", "x", "social"),
    (r"(.+\.)?youtube\.com|youtu\.be", "youtube", "social"),
    (r"(.+\.)?pinterest\.[a-z.]{2,6}", "pinterest", "social"),
    (r"(.+\.)?tiktok\.com", "tiktok", "social"),
    (r"(.+\.)?reddit\.com", "reddit", "social"),
)
_KNOWN = tuple((re.compile(hosts), name, medium) for hosts, name, medium in _NETWORKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where one visit came from."""

    source: str
    medium: str | None = None
    campaign: str | None = None
    #: Host of the page that led here.
    referrer: str | None = None


def source_of(told: Any, *, own: str) -> Source | None:
    """The source that `{utm_source, utm_medium, utm_campaign, gclid …, referrer}` tells.

    None when nothing is told, or a page of the site `own` led to another: that is no arrival.
    """
    if not isinstance(told, Mapping):
        return None
    said = {name: text for name, value in told.items() if (text := _short(value))}
    host, campaign = _host(said.get("referrer")), said.get("utm_campaign")
    if "utm_source" in said:
        return Source(source=said["utm_source"], medium=said.get("utm_medium"), campaign=campaign, referrer=host)
    for name, (network, medium) in CLICK_IDS.items():
        if name in said:
            return Source(source=network, medium=medium, campaign=campaign, referrer=host)
    if host is None:
        return Source(source=DIRECT)
    if bare(host) == bare(_host(own)):
        return None
    name, medium = next(((name, medium) for hosts, name, medium in _KNOWN if hosts.fullmatch(host)), ("", "referral"))
    return Source(source=name or bare(host) or host, medium=medium, campaign=campaign, referrer=host)


def bare(host: str | None) -> str | None:
    """A host without the `www.` that says nothing."""
    return host.removeprefix("www.") if host else None


def _host(address: str | None) -> str | None:
    if not address:
        return None
    try:
        return urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        return None


def _short(value: Any) -> str:
    """A text as a report can group by it: one line, in small letters, no longer than people read."""
    if not isinstance(value, str):
        return ""
    return "".join(sign for sign in value if sign.isprintable()).strip()[:_LONGEST].lower()

"""What programs that ask for links call themselves: scanners and libraries by their words, browsers by their age."""

import re
from functools import lru_cache

#: Words of programs that fetch links: mail gateways, previews, crawlers, libraries.
_SCANNERS = re.compile(
    r"barracuda|mimecast|proofpoint|safelinks|ironport|trendmicro|symantec|messagelabs|forcepoint|fireeye|sophos"
    r"|bitdefender|urldefense|google(imageproxy|bot|-safety)|bingpreview|bingbot|yahoo.?(slurp|mailproxy)|teams.?link"
    r"|facebookexternalhit|linkedinbot|twitterbot|whatsapp|skypeuripreview|telegrambot|discordbot|mattermost"
    r"|headlesschrome|phantomjs|puppeteer|playwright|selenium"
    r"|bot(\b|[-_/])|crawl|spider|scan|preview|url.?(check|guard|inspect|defen)|link.?(check|guard|expand|inspect)"
    r"|(mail|safe|threat|web).?(shield|guard|click|check|filter|bot|proxy)|sandbox|antivirus|\+https?://"
    r"|^(curl|wget|python|aiohttp|java/|go-http|okhttp|libwww|lwp|axios|node|ruby|php|apache-httpclient|guzzle|httpx)",
    re.IGNORECASE,
)
#: Mail programs that open links themselves, and every browser there is.
_READERS = re.compile(
    r"^Mozilla/5\.0 \(.+\).*(AppleWebKit|Gecko|Safari|Chrome|Firefox)|^Opera/"
    r"|thunderbird|outlook|microsoft office|^Mail/",
    re.IGNORECASE,
)
_CHROME = re.compile(r"Chrome/(\d+)\.|Firefox/(\d+)\.")
#: Both have counted a dozen versions a year since 2021, and stood at about this one in that year's first days.
_VERSION_2021 = 87
#: Years after which a version is more often a sandbox's picture than somebody's browser.
_OLD = 4


@lru_cache(maxsize=4_096)
def is_scanner(agent: str) -> bool:
    """Whether it says so itself."""
    return bool(_SCANNERS.search(agent))


@lru_cache(maxsize=4_096)
def is_odd(agent: str) -> bool:
    """Whether it names neither a browser nor a mail program."""
    return not _READERS.search(agent)


@lru_cache(maxsize=4_096)
def is_outdated(agent: str, year: int) -> bool:
    """Whether it is a browser that hardly anybody has kept until `year`."""
    if "MSIE" in agent or "Trident/" in agent:
        return True
    found = _CHROME.search(agent)
    return found is not None and int(found[1] or found[2]) < _VERSION_2021 + 12 * (year - _OLD - 2021)

"""Where requests come from and what they call themselves: networks and agents, drawn anew for every world."""

from random import Random

#: Blocks of networks that rent machines, first two or three numbers of their addresses.
CLOUDS = (
    *("3.120", "3.250", "13.80", "13.92", "15.188", "18.156", "18.196", "20.50", "20.73", "34.77", "34.89", "34.140"),
    *("35.180", "35.189", "35.233", "40.74", "40.112", "44.226", "51.15", "51.77", "51.91", "51.103", "51.136"),
    *("52.47", "52.166", "52.208", "54.36", "54.93", "54.170", "54.229", "78.47", "88.99", "95.217", "104.45"),
    *("116.203", "135.181", "138.68", "142.93", "146.59", "157.245", "159.69", "163.172", "165.227", "167.99"),
    *("178.62", "188.166", "195.201", "212.47", "45.76", "45.32", "172.104", "139.162"),
)
#: Blocks of firms that only filter mail, or lead their customers' people into the internet.
FILTERING = ("67.231.152", "148.163.135", "185.58.84", "91.220.42", "209.222.82", "216.71.150", "194.104.109")
EXITS = ("165.225.76", "147.161.180", "104.129.198", "136.226.182", "85.115.52")
#: Nobody's list names them: small hosters, and racks in a vendor's own cellar.
CELLARS = ("193.19.118", "185.247.71", "92.118.205", "5.180.62", "194.87.31", "45.140.17", "31.172.83", "89.248.64")
ACCESS = (
    *("2.3", "2.12", "77.136", "78.192", "78.240", "80.12", "81.64", "82.64", "82.124", "83.113", "84.97", "85.168"),
    *("86.192", "86.245", "88.160", "89.80", "90.3", "90.76", "91.160", "92.88", "93.1", "109.190", "176.128"),
    *("81.240", "91.176", "109.128", "62.203", "83.76", "178.192", "87.64", "212.195", "213.41", "217.128"),
)
MOBILE = ("37.165.3", "37.170.21", "80.215.40", "92.184.98", "176.186.7", "31.36.110", "77.205.18", "188.5.200")
MAILBOX_PROVIDERS = ("66.249.93", "66.102.9", "74.125.208", "17.58.101", "104.28.54", "87.248.116", "40.94.31")


def network(rng: Random, blocks: tuple[str, ...]) -> str:
    """A /24 in one of `blocks`, its first three numbers."""
    block = rng.choice(blocks)
    return block if block.count(".") == 2 else f"{block}.{rng.randrange(1, 255)}"


def address(rng: Random, network: str) -> str:
    return f"{network}.{rng.randrange(2, 254)}"


def desktop(rng: Random) -> str:
    """A browser on a desk, of this year or the last ones."""
    system = rng.choice(("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"))
    version = rng.randrange(118, 146)
    match rng.randrange(8):
        case 0 | 1:
            return f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
        case 2:
            return f"{_webkit('Macintosh; Intel Mac OS X 10_15_7')} Version/17.{version % 7} Safari/605.1.15"
        case 3 | 4:
            return f"{_chrome(system, version)} Edg/{version}.0.{rng.randrange(2000, 3000)}.{rng.randrange(20, 99)}"
        case _:
            return _chrome(system, version)


def phone(rng: Random) -> str:
    if rng.random() < 0.45:
        system = f"{rng.randrange(16, 19)}_{rng.randrange(0, 7)}"
        tail = "Mobile/15E148" if rng.random() < 0.2 else f"Version/{system[:2]}.0 Mobile/15E148 Safari/604.1"
        return f"{_webkit(f'iPhone; CPU iPhone OS {system} like Mac OS X')} {tail}"
    model = rng.choice(("SM-S911B", "SM-A546B", "Pixel 8", "K", "2201117TY", "FP5"))
    version = rng.randrange(118, 146)
    return (
        f"Mozilla/5.0 (Linux; Android {rng.randrange(11, 16)}; {model}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{version}.0.0.0 Mobile Safari/537.36"
    )


def _webkit(system: str) -> str:
    return f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko)"


def _chrome(system: str, version: int) -> str:
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"


def stale(rng: Random) -> str:
    """What a sandbox calls itself whose picture was made years ago."""
    return rng.choice(
        (
            _chrome("Windows NT 6.1; WOW64", rng.randrange(41, 79)),
            _chrome("Windows NT 10.0; Win64; x64", rng.randrange(60, 100)),
            "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
            "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
            _chrome("X11; Linux x86_64", 112).replace("Chrome", "HeadlessChrome"),
        )
    )


def library(rng: Random) -> str:
    return rng.choice(
        (
            f"python-requests/2.{rng.randrange(20, 33)}.0",
            "Go-http-client/1.1",
            "Go-http-client/2.0",
            f"curl/8.{rng.randrange(0, 12)}.1",
            f"Java/17.0.{rng.randrange(1, 12)}",
            f"okhttp/4.{rng.randrange(9, 13)}.0",
            f"Apache-HttpClient/4.5.{rng.randrange(5, 15)} (Java/11.0.20)",
            f"axios/1.{rng.randrange(1, 8)}.2",
            f"aiohttp/3.{rng.randrange(7, 11)}",
            "libwww-perl/6.67",
        )
    )


_SYLLABLES = ("vel", "mor", "tra", "zen", "kor", "lum", "dax", "pri", "oph", "sil", "bar", "quo", "nim", "fer")
_TRADES = ("LinkGuard", "MailShield", "URLScanner", "SafeClick", "ThreatBot", "UrlCheck", "Sentry", "Inspect")


def product(rng: Random) -> str:
    """A product nobody has heard of, that says its name."""
    name = "".join(rng.sample(_SYLLABLES, 2)).capitalize()
    said = f"{name}-{rng.choice(_TRADES)}/{rng.randrange(1, 7)}.{rng.randrange(0, 10)}"
    return said if rng.random() < 0.5 else f"Mozilla/5.0 (compatible; {said}; +https://www.{name.lower()}.example/bot)"


def unfurler(rng: Random) -> str:
    return rng.choice(
        (
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
            f"WhatsApp/2.{rng.randrange(20, 25)}.{rng.randrange(1, 99)} A",
            "TelegramBot (like TwitterBot)",
            "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Mattermost-Bot/1.1",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "Synapse (bot; +https://github.com/matrix-org/synapse)",
        )
    )


def crawler(rng: Random) -> str:
    return rng.choice(
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.1; +https://openai.com/gptbot)",
            "CCBot/2.0 (https://commoncrawl.org/faq/)",
        )
    )

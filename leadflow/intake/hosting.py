"""Whether a network belongs to those who rent machines: `hosting.txt` lists the large ones, coarsely."""

from bisect import bisect_right
from functools import cache, lru_cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


@lru_cache(maxsize=65_536)
def is_hosting(network: str | None) -> bool:
    """Whether `network` (an address, its last part cut or not) lies in a listed one."""
    if network is None:
        return False
    try:
        asked = ip_address(network)
    except ValueError:
        return False
    starts, ends = _ranges(asked.version)
    place = bisect_right(starts, int(asked)) - 1
    return place >= 0 and int(asked) <= ends[place]


@cache
def _ranges(version: int) -> tuple[list[int], list[int]]:
    text = files("leadflow.intake").joinpath("hosting.txt").read_text()
    words = [line.partition("#")[0] for line in text.splitlines()]
    listed = [ip_network(word) for words_of in words for word in words_of.split()]
    known = sorted({_bounds(one) for one in listed if one.version == version})
    return [start for start, _end in known], [end for _start, end in known]


def _bounds(one: IPv4Network | IPv6Network) -> tuple[int, int]:
    first: IPv4Address | IPv6Address = one.network_address
    return int(first), int(one.broadcast_address)

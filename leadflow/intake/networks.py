"""Cuts an address to its network: IPv4 to /24, IPv6 to /48. Nobody can be found again by it."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network


@lru_cache(maxsize=65_536)
def network_of(address: str | None) -> str | None:
    """The first address of the network `address` lies in; None for what is none."""
    try:
        asked = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(asked, IPv6Address) and asked.ipv4_mapped:
        asked = asked.ipv4_mapped
    bits = 24 if asked.version == 4 else 48
    return str(ip_network(f"{asked}/{bits}", strict=False).network_address)

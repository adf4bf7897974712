"""What every door needs of the process: the opened workspace, and who asks."""

import ipaddress
from typing import Annotated

from fastapi import Depends, Request

from leadflow.app import App


def _opened(request: Request) -> App:
    app: App = request.app.state.app
    return app


Opened = Annotated[App, Depends(_opened)]


def network_of(request: Request) -> str | None:
    """The asking address cut to its network: IPv4 to /24, IPv6 to /48. The rest is nobody's business."""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    bits = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False).network_address)


def agent_of(request: Request) -> str | None:
    """The program that asks, as it calls itself, in signs a database and a log can hold."""
    told = request.headers.get("user-agent", "")[:300]
    return "".join(sign for sign in told if sign.isprintable()) or None

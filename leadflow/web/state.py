"""What every door needs of the process: the opened workspace, and who asks."""

import ipaddress
import logging
import time
from threading import Thread
from typing import Annotated, Any

from fastapi import Depends, Request

from leadflow.app import App, refresh
from leadflow.errors import LeadflowError

logger = logging.getLogger("leadflow.web")


#: Seconds between two looks at the files of the workspace.
_LOOK_EVERY = 5.0


def _opened(request: Request) -> App:
    """The workspace, with the playbook of some seconds ago: what is merged while the site is up counts there, too."""
    state = request.app.state
    now = time.monotonic()
    if now - getattr(state, "looked_at", 0.0) >= _LOOK_EVERY:
        state.looked_at = now
        # Nobody's request waits for files to be read.
        Thread(target=_look, args=(state,), daemon=True).start()
    app: App = state.app
    return app


def _look(state: Any) -> None:
    try:
        state.app = refresh(state.app)
    except LeadflowError as error:
        logger.warning("the playbook stays as it was: %s", type(error).__name__)


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

"""What every door needs of the process: the opened workspace, and who asks."""

from typing import Annotated

from fastapi import Depends, Request

from leadflow.app import App
from leadflow.intake import networks
from leadflow.web.keeping import Keeping
from leadflow.web.lane import Lane


# Coroutines: what is no coroutine is sent to a thread and back by each request, which takes longer than most answers.
async def _opened(request: Request) -> App:
    app: App = request.app.state.app
    return app


Opened = Annotated[App, Depends(_opened)]


async def _lane(request: Request) -> Lane:
    lane: Lane = request.app.state.lane
    return lane


FastLane = Annotated[Lane, Depends(_lane)]


async def _keeping(request: Request) -> Keeping:
    keeping: Keeping = request.app.state.keeping
    return keeping


Kept = Annotated[Keeping, Depends(_keeping)]


def network_of(request: Request) -> str | None:
    """The asking address cut to its network. The rest is nobody's business."""
    return networks.network_of(request.client.host if request.client else None)


def agent_of(request: Request) -> str | None:
    """The program that asks, as it calls itself, in signs a database and a log can hold."""
    told = request.headers.get("user-agent", "")[:300]
    return "".join(sign for sign in told if sign.isprintable()) or None

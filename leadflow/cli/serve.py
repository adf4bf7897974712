"""`leadflow serve` and `leadflow ui`: the one process of a small installation, and the page where runs are seen."""

import gc
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow.cli.common import Workspace, console, opened, plain_errors
from leadflow.text import _

if TYPE_CHECKING:
    from leadflow.app import App

Host = Annotated[str, typer.Option(help="Where the public door listens; put a proxy with TLS before it.")]
Port = Annotated[int, typer.Option(help="Its port.")]
NoPrefect = Annotated[bool, typer.Option("--no-prefect", help="Run the jobs in this process, without a run page.")]
PrefectPort = Annotated[int, typer.Option(help="Port of the local Prefect server; a free one when it is taken.")]


def serve(
    workspace: Workspace = None,
    host: Host = "127.0.0.1",
    port: Port = 8380,
    no_prefect: NoPrefect = False,
    prefect_port: PrefectPort = 4200,
) -> None:
    """Keep the schedule, answer what mails point at, show every run: one process until Ctrl-C."""
    # uvicorn gives signals back after its own shutdown: this makes SIGTERM leave through the blocks below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with plain_errors(), ExitStack() as stack:
        app = opened(workspace)
        _check_free(host, port)
        if no_prefect:
            logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
            logging.getLogger("leadflow").setLevel(logging.INFO)
        else:
            server = stack.enter_context(_prefect(app.settings.workspace, prefect_port))
            console.print(_("runs      {url}").format(url=server.url))
        if app.playbook.schedule.scheduler == "embedded":
            stack.enter_context(_ticking(app, flows=not no_prefect))
        else:
            console.print(
                _("schedule  kept elsewhere: scheduler is {name}").format(name=app.playbook.schedule.scheduler)
            )
        console.print(_("door      http://{host}:{port}   Ctrl-C ends").format(host=host, port=port))
        _answer(app, host, port)


def ui(workspace: Workspace = None, prefect_port: PrefectPort = 4200) -> None:
    """Show where the runs of this workspace are seen; starts the page until Ctrl-C unless it is up already."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with plain_errors():
        from leadflow.settings import load_settings

        place = load_settings(workspace).workspace
        already = _server().running_server(place)
        if already is not None:
            console.print(f"{already.url}/runs")
            return
        with _prefect(place, prefect_port) as server:
            console.print(_("{url}/runs   Ctrl-C ends").format(url=server.url))
            if server.pid is not None:
                _until_interrupted()


def _server() -> Any:
    return import_module("leadflow.scheduler.server")


@contextmanager
def _prefect(workspace: Path, port: int) -> Iterator[Any]:
    with ExitStack() as stack:
        if not console.is_terminal:
            console.print(_("starting the local Prefect server, ten seconds or more"))
        with console.status("") as status:
            tell: Callable[[float], None] = lambda seconds: status.update(  # noqa: E731
                _("starting the local Prefect server, about ten seconds ({seconds:.0f} s)").format(seconds=seconds)
            )
            server = stack.enter_context(_server().local_server(workspace, port=port, progress=tell))
        yield server


@contextmanager
def _ticking(app: "App", *, flows: bool) -> Iterator[None]:
    from leadflow.app import ask_to_stop, run_slot

    act = import_module("leadflow.scheduler.flow_runs").run_as_flow if flows else run_slot
    clock = import_module("leadflow.scheduler.clock").Clock(app=app, act=act)
    clock.start()
    for name, at in clock.upcoming():
        console.print(f"schedule  {name:<9} {at.astimezone(app.office):%a %d %b %H:%M}", markup=False)
    try:
        yield
    finally:
        with console.status(_("finishing the run in progress")):
            # A delivery of an hour ends with the mails it has in hand.
            ask_to_stop()
            clock.stop()


def _answer(app: "App", host: str, port: int) -> None:
    import uvicorn

    site = import_module("leadflow.web.site").create_site(app)
    config = uvicorn.Config(
        site,
        host=host,
        port=port,
        log_level="warning",
        # An access log would keep signed addresses.
        access_log=False,
        server_header=False,
        # What reads slowly must not cost a delivery the time it has: half a minute from SIGTERM on.
        timeout_graceful_shutdown=4,
        limit_concurrency=200,
    )
    # What stands by now is never searched for garbage again: each search held up all answers for a tenth of a second.
    gc.collect()
    gc.freeze()
    # Whoever stores a form asks for Python's lock a dozen times, while mails are put together beside it: by default
    # each of them may take 5 ms.
    sys.setswitchinterval(0.0005)
    try:
        uvicorn.Server(config).run()
    except KeyboardInterrupt:
        # Given back by uvicorn after a clean shutdown.
        return


def _check_free(host: str, port: int) -> None:
    import socket

    from leadflow.errors import UsageError

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise UsageError(
                _("{host}:{port} is taken: another `leadflow serve`? --port chooses another").format(
                    host=host, port=port
                )
            ) from None


def _until_interrupted() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        return


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(serve)
    app.command()(ui)

"""`leadflow preview` and `leadflow send-test`: a mail as a lead would see it, on a page or in one's own mailbox."""

import socket
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from leadflow.cli.common import Workspace, console, plain_errors
from leadflow.text import _

if TYPE_CHECKING:
    from leadflow.settings import Settings

Port = Annotated[int, typer.Option("--port", help="Port of the page; a free one when it is taken.", min=1, max=65535)]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Print the address, open no browser.")]

_HOST = "127.0.0.1"


def preview(
    workspace: Workspace = None,
    port: Port = 8390,
    no_open: NoOpen = False,
) -> None:
    """See each email as any lead would, on a page that follows the files as they are saved."""
    with plain_errors():
        from leadflow.settings import load_settings

        settings = load_settings(workspace)
        _refuse_no_workspace(settings)
        with _listening(port) as door:
            address = f"http://{_HOST}:{door.getsockname()[1]}/"
            console.print(_("preview   {url}   Ctrl-C ends").format(url=address), soft_wrap=True)
            if console.is_terminal and not no_open:
                typer.launch(address)
            _answer(settings, door)


def _refuse_no_workspace(settings: "Settings") -> None:
    from leadflow.errors import UsageError
    from leadflow.playbook.load import MAIN

    if not (settings.workspace / MAIN).is_file():
        raise UsageError(_("there is no playbook here; leadflow init DIR starts one"))


def _listening(port: int) -> socket.socket:
    """A socket on this machine alone: on `port`, or on any free one."""
    for wanted in (port, 0):
        door = socket.socket(socket.AF_INET)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((_HOST, wanted))
        except OSError:
            door.close()
            continue
        return door
    from leadflow.errors import UsageError

    raise UsageError(_("no port of this machine is free"))


def _answer(settings: "Settings", door: socket.socket) -> None:
    import uvicorn

    create_preview = import_module("leadflow.web.preview").create_preview
    config = uvicorn.Config(
        create_preview(settings),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    try:
        uvicorn.Server(config).run(sockets=[door])
    except KeyboardInterrupt:
        return


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(preview)

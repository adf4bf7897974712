"""`leadflow preview` and `leadflow send-test`: a mail as a lead would see it, on a page or in one's own mailbox."""

import socket
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadflow.cli.common import Workspace, complaints, console, plain_errors
from leadflow.errors import SettingsError, UsageError
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.settings import Settings

Port = Annotated[int, typer.Option("--port", help="Port of the page; a free one when it is taken.", min=1, max=65535)]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Print the address, open no browser.")]

Out = Annotated[
    Path | None, typer.Option("--out", help="Write HTML and pictures into this folder instead, with an index.html.")
]
Emails = Annotated[list[str] | None, typer.Option("--email", help="With --out: only this email; may be repeated.")]
Langs = Annotated[list[str] | None, typer.Option("--lang", help="With --out: only this language; may be repeated.")]
Leads = Annotated[
    list[str] | None,
    typer.Option(
        "--lead",
        help="With --out: seen by sample, no-name, long, rtl, emoji, markup (default: each of these), an address, "
        "or L-0147; may be repeated.",
    ),
]
NoPictures = Annotated[bool, typer.Option("--no-pictures", help="With --out: write the HTML alone.")]
Email = Annotated[str, typer.Argument(metavar="NAME", help="The email: a folder of templates/emails.")]
To = Annotated[str, typer.Option("--to", help="Your own address.")]
Lang = Annotated[str | None, typer.Option("--lang", help="Language of the mail; default: the reader's.")]
Variant = Annotated[
    str | None,
    typer.Option("--variant", help="Variant of the email; default: the reader's, the original for a sample."),
]
Lead = Annotated[
    str, typer.Option("--lead", help="sample, no-name, long, rtl, emoji, markup; or a lead: an address, or L-0147.")
]

_HOST = "127.0.0.1"


def preview(
    workspace: Workspace = None,
    port: Port = 8390,
    no_open: NoOpen = False,
    out: Out = None,
    email: Emails = None,
    lang: Langs = None,
    lead: Leads = None,
    no_pictures: NoPictures = False,
) -> None:
    """See each email as any lead would: on a page that follows the files as they are saved, or as files (--out)."""
    with plain_errors():
        settings = _settings(workspace)
        if out is not None:
            _write(settings, out, (email or [], lang or [], lead or []), pictures=not no_pictures)
        elif email or lang or lead or no_pictures:
            raise UsageError(_("--email, --lang, --lead and --no-pictures go with --out: on the page you choose"))
        else:
            _show(settings, port, opens=console.is_terminal and not no_open)


def send_test(
    name: Email,
    to: To,
    workspace: Workspace = None,
    lang: Lang = None,
    lead: Lead = "sample",
    variant: Variant = None,
) -> None:
    """Send one email to yourself by the workspace's provider: marked as a test, kept in no table, counted nowhere."""
    with plain_errors():
        from leadflow.app.preview_send import send_test as send

        settings = _settings(workspace)
        sent = send(settings, name, to, datetime.now(UTC), language=lang, lead=lead, variant=variant)
        console.print(
            _("{subject} → {to} ({provider})").format(
                subject=sent.mail.subject, to=sent.mail.to, provider=sent.provider
            ),
            markup=False,
            soft_wrap=True,
        )
        if sent.provider == "file":
            console.print(str(settings.outbox / sent.sent_as), markup=False, soft_wrap=True)
        elif sent.provider == "memory":
            console.print(_("LEADFLOW_ESP is memory: nothing has left"), style="yellow")


def _show(settings: "Settings", port: int, *, opens: bool) -> None:
    with _listening(port) as door:
        address = f"http://{_HOST}:{door.getsockname()[1]}/"
        console.print(_("preview   {url}   Ctrl-C ends").format(url=address), soft_wrap=True)
        if opens:
            typer.launch(address)
        _answer(settings, door)


def _write(
    settings: "Settings", folder: Path, asked: tuple[list[str], list[str], list[str]], *, pictures: bool
) -> None:
    from rich.progress import Progress

    from leadflow.app.preview import Workbench
    from leadflow.app.preview_camera import camera, find_chromium
    from leadflow.app.preview_files import INDEX, wanted, write_previews

    chromium = find_chromium() if pictures else None
    with ExitStack() as stack:
        bench = stack.enter_context(Workbench(settings))
        reading = bench.read()
        which = wanted(reading, *asked)
        taking = stack.enter_context(camera(chromium)) if chromium else None
        bar = stack.enter_context(Progress(console=console, transient=True, disable=not console.is_terminal))
        task = bar.add_task(_("previews"), total=len(which))
        shots = write_previews(bench, reading, datetime.now(UTC), which, folder, taking, done=lambda: bar.advance(task))
    if pictures and chromium is None:
        told = _("no Chromium or Chrome on the PATH: HTML only. Debian: apt install chromium; macOS: Google Chrome")
        complaints.print(told, style="yellow", soft_wrap=True)
    refused = sum(not shot.html for shot in shots)
    told = ngettext("{n} mail in {file}", "{n} mails in {file}", len(shots) - refused)
    console.print(told.format(n=len(shots) - refused, file=folder / INDEX), markup=False, soft_wrap=True)
    if refused:
        told = ngettext(
            "{n} would not be sent (the page says why)", "{n} would not be sent (the page says why)", refused
        )
        console.print(told.format(n=refused))


def _settings(workspace: Path | None) -> "Settings":
    """Settings of a folder that holds a playbook, good or bad."""
    from pydantic import ValidationError

    from leadflow.playbook.load import MAIN
    from leadflow.settings import load_settings

    try:
        settings = load_settings(workspace)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = f"LEADFLOW_{str(wrong['loc'][0]).upper()}"
        raise SettingsError(_("{setting} cannot be used: {why}").format(setting=name, why=wrong["msg"])) from None
    if not (settings.workspace / MAIN).is_file():
        raise UsageError(_("there is no playbook here; leadflow init DIR starts one"))
    return settings


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
        # Whoever is quicker than the page waits at its door.
        door.listen()
        return door
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
    app.command("send-test")(send_test)

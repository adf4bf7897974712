"""`leadflow`: the commands, each imported only when it is asked for."""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated

import typer

from leadflow import __version__, cli
from leadflow.cli._helping import Translated, translate
from leadflow.text import set_language

app = typer.Typer(
    name="leadflow",
    cls=Translated,
    help="Turns leads into prospects: scoring, nurturing and hand-over to sales from files under review.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_SHARED = {"main", "common"}


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def speak(
    ctx: typer.Context,
    lang: Annotated[  # noqa: ARG001 - eager: set before this runs, and before help is shown
        str | None,
        typer.Option(
            "--lang", callback=set_language, is_eager=True, help="en or fr; default: LEADFLOW_LANG, then the locale."
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - eager: _version has answered before this runs
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of every command."""
    translate(ctx.command)


def _gather() -> None:
    # A command group is a file of this folder with `add_to(app)`; heavy imports stay inside its functions.
    for module in sorted(found.name for found in iter_modules(cli.__path__)):
        if module not in _SHARED and not module.startswith("_"):
            import_module(f"{cli.__name__}.{module}").add_to(app)


def main() -> None:
    """Entry point of the `leadflow` command."""
    _gather()
    try:
        app()
    except BrokenPipeError:
        sys.exit(1)

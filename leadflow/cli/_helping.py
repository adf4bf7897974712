"""Help in the language people read: what a command and those below it say of themselves, translated when asked for."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from leadflow.text import _ as translated


def said_by(command: Any) -> Iterator[Any]:
    """What has a help text: the command, its options, and all below it."""
    for one in (command, *command.params):
        if getattr(one, "help", None):
            yield one
    for inner in getattr(command, "commands", {}).values():
        yield from said_by(inner)


def translate(command: Any) -> None:
    """Put every help text from `command` down into the language people read."""
    for one in said_by(command):
        one.help = translated(one.help)


class Translated(TyperGroup):
    """The whole command, whose own help comes before any option but `--lang` is read."""

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """The help, once it is translated."""
        translate(self)
        super().format_help(ctx, formatter)

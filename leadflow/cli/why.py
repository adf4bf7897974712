"""`leadflow why`: the reasons behind one person, and what would leave once nothing blocks it."""

from datetime import UTC, datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from leadflow.cli.common import At, Workspace, console, instant, opened, plain_errors

if TYPE_CHECKING:
    from leadflow.ask.section import Section
    from leadflow.ask.why import Answer

#: Two columns of scores need this much room.
_WIDE = 150
#: Where the words of a term begin, after its figure and its name.
_WORDS_AT = 33


def why(
    who: Annotated[str, typer.Argument(help="An address, or a lead's number such as L-0147.")],
    workspace: Workspace = None,
    at: At = None,
    nothing: Annotated[
        bool, typer.Option("--not", help="Only why they get no mail: what passed, the first block, when it lifts.")
    ] = False,
) -> None:
    """Why somebody has this score, stands there, got that, and gets nothing."""
    from leadflow.app import why as answer

    with plain_errors():
        app = opened(workspace)
        asked = None if at is None else instant(app, at)
        found = answer(app, who, asked, now=datetime.now(UTC), brief=nothing)
    if nothing:
        console.print(Text(found.short), soft_wrap=True)
        console.print(_block(found.nothing), soft_wrap=True)
    else:
        _show(found)


def _show(found: "Answer") -> None:
    console.print(_block(found.heading), soft_wrap=True)
    if console.width >= _WIDE:
        columns = Table.grid(padding=(0, 3))
        columns.add_row(*(_column(section, (console.width - 3) // 2) for section in found.scores))
        console.print(columns)
    else:
        for section in found.scores:
            console.print(_block(section), soft_wrap=True)
    for section in (*found.sections, found.next_section):
        console.print(_block(section), soft_wrap=True)
    console.print(Text(found.playbook), soft_wrap=True)


def _block(section: "Section") -> Group:
    return Group(Text(section.title, style="bold"), *(Text(f"  {line}") for line in section.lines))


def _column(section: "Section", width: int) -> Group:
    """A block whose long lines go on under their words, not under their figures."""
    lines = (wrap(line, width - 2, subsequent_indent=" " * _WORDS_AT) or [""] for line in section.lines)
    folded = (f"  {part}" for parts in lines for part in parts)
    return Group(Text(section.title, style="bold"), *map(Text, folded))


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(why)

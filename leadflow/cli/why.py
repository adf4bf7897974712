"""`leadflow why`: the reasons behind one person, and what would leave once nothing blocks it."""

from datetime import UTC, datetime, timedelta
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from leadflow.cli.common import At, Workspace, console, instant, opened, plain_errors

if TYPE_CHECKING:
    from leadflow.app import App
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
) -> None:
    """Why somebody has this score, stands there, got that, and gets nothing."""
    from sqlalchemy.orm import Session

    from leadflow.ask.why import why as answer

    with plain_errors():
        app = opened(workspace)
        asked = None if at is None else instant(app, at)
        with Session(app.engine) as session:
            found = answer(session, app.playbook, who, asked, now=datetime.now(UTC))
        then = None if asked is not None else _then(app, found)
    _show(found, then)


def _show(found: "Answer", then: str | None) -> None:
    console.print(_block(found.heading))
    if console.width >= _WIDE:
        columns = Table.grid(padding=(0, 3))
        columns.add_row(*(_column(section, (console.width - 3) // 2) for section in found.scores))
        console.print(columns)
    else:
        for section in found.scores:
            console.print(_block(section), soft_wrap=True)
    for section in found.sections:
        console.print(_block(section), soft_wrap=True)
        if then is not None and section is found.next_section:
            console.print(Text(f"  {then}"), soft_wrap=True)


def _block(section: "Section") -> Group:
    return Group(Text(section.title, style="bold"), *(Text(f"  {line}") for line in section.lines))


def _column(section: "Section", width: int) -> Group:
    """A block whose long lines go on under their words, not under their figures."""
    lines = (wrap(line, width - 2, subsequent_indent=" " * _WORDS_AT) or [""] for line in section.lines)
    folded = (f"  {part}" for parts in lines for part in parts)
    return Group(Text(section.title, style="bold"), *map(Text, folded))


def _then(app: "App", found: "Answer") -> str | None:
    """What the first night after the block has lifted would plan for them, tried and taken back."""
    from leadflow.app import night_of, plan
    from leadflow.ask.next_mail import would_get
    from leadflow.types import Leads

    if found.lifts is None:
        return None
    night = night_of(app, found.lifts)
    if not found.leaves_then and night < found.lifts:
        night = night_of(app, found.lifts + timedelta(days=1))
    if found.looked is not None and night <= found.looked:
        night = night_of(app, found.looked + timedelta(days=1))
    scope = Leads((found.lead_id,))
    return plan(app, night, lambda session, _done: would_get(session, app.playbook, found.lead_id, night), scope)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(why)

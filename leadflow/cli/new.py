"""`leadflow new email|segment|sequence|form|page NAME`: a file to start from, with a word to each line."""

from enum import StrEnum
from typing import Annotated

import typer

from leadflow.cli.common import Workspace, console, plain_errors
from leadflow.text import _


class Kind(StrEnum):
    """What can be started."""

    EMAIL = "email"
    SEGMENT = "segment"
    SEQUENCE = "sequence"
    FORM = "form"
    PAGE = "page"


KindOf = Annotated[Kind, typer.Argument(metavar="email|segment|sequence|form|page", help="What to start.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name: letters without accents, digits, - and _.")]


def new(kind: KindOf, name: Name, workspace: Workspace = None) -> None:
    """Write a commented email, segment, sequence, form or page to start from; nothing that exists is touched."""
    from leadflow.playbook.load import load_playbook
    from leadflow.playbook.start_forms import start_form, start_page
    from leadflow.playbook.starts import start_email, start_segment, start_sequence
    from leadflow.settings import load_settings

    start = {
        Kind.EMAIL: start_email,
        Kind.SEGMENT: start_segment,
        Kind.SEQUENCE: start_sequence,
        Kind.FORM: start_form,
        Kind.PAGE: start_page,
    }[kind]
    with plain_errors():
        place = load_settings(workspace).workspace
        files = start(place, load_playbook(place), name)
        for path, text in files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(text, encoding="utf-8")
            console.print(path, markup=False, soft_wrap=True)
    console.print(_next(kind, name), markup=False, soft_wrap=True)


def _next(kind: Kind, name: str) -> str:
    if kind is Kind.EMAIL:
        return _("Write it, then: leadflow check, and leadflow preview")
    if kind is Kind.SEQUENCE:
        return _("Write it, then: leadflow check. Nobody enters before it says live: true")
    if kind in (Kind.FORM, Kind.PAGE):
        path = f"/{'f' if kind is Kind.FORM else 'p'}/{name}"
        return _("Write it, then: leadflow check. leadflow serve shows it at {path}").format(path=path)
    told = _("Write it, add {name} to segment_order in config/leadflow.yaml, then: leadflow check")
    return told.format(name=name)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(new)

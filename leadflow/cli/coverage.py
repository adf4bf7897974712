"""`leadflow coverage`: a picture of who has emails left, and where they run out."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from leadflow.cli.common import Workspace, console, plain_errors
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.ask.coverage import Coverage

Format = Literal["text", "json"]
#: As many lines of each kind are printed without --all.
_SHOWN = 8


def coverage(
    workspace: Workspace = None,
    every: Annotated[bool, typer.Option("--all", help="Every line, not only the first eight of each kind.")] = False,
    form: Annotated[Format, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """How many emails are left for those who stand there, by segment, stage, band and language; where they run out."""
    from leadflow.app.choosing import coverage as answer
    from leadflow.settings import load_settings

    with plain_errors():
        found = answer(load_settings(workspace), datetime.now(UTC))
    if form == "json":
        typer.echo(_json(found))
        return
    from leadflow.cli._coverage_picture import grid

    for line in grid(found, console.width):
        console.print(line, no_wrap=True, crop=False)
    for title, style, lines in _lists(found):
        _print(title, style, lines, every=every)


def _print(title: str, style: str, lines: list[str], *, every: bool) -> None:
    if not lines:
        return
    console.print()
    console.print(Text(title, style="bold"))
    for line in lines if every else lines[:_SHOWN]:
        console.print(Text(f"  {line}", style=style), soft_wrap=True)
    hidden = 0 if every else len(lines) - _SHOWN
    if hidden > 0:
        told = ngettext("  … and {n} more with --all", "  … and {n} more with --all", hidden)
        console.print(told.format(n=hidden), style="dim")


def _lists(found: "Coverage") -> Iterator[tuple[str, str, list[str]]]:
    yield _("NOTHING LEFT"), "red", list(_empty(found))
    yield _("RUNS DRY"), "yellow", list(_dry(found))
    yield _("NOBODY CAN EVER RECEIVE"), "yellow", [f"{email}: {why}" for email, why in sorted(found.never.items())]
    unmet = [email for email in found.unmet if email not in found.never]
    yield _("FOR NOBODY WHO IS HERE TODAY"), "", unmet


def _empty(found: "Coverage") -> Iterator[str]:
    """The places in which people stand who have had every email that is for them, the most people first."""
    groups: dict[tuple[str, str, str], list[tuple[str, int, int, int]]] = {}
    for cell, count in found.cells.items():
        if count.people:
            key = (cell.stage, cell.segment or _("no segment"), cell.language)
            groups.setdefault(key, []).append((cell.band, count.people, count.without, count.mails))
    lines = []
    for key, rows in groups.items():
        without = sum(row[2] for row in rows)
        if without:
            bands = ", ".join(sorted({row[0] for row in rows if row[2]}))
            told = ngettext(
                "{cell}: {n} of {people} person has nothing left ({bands})",
                "{cell}: {n} of {people} people have nothing left ({bands})",
                sum(row[1] for row in rows),
            ).format(cell=" × ".join(key), n=without, people=sum(row[1] for row in rows), bands=bands)
            none = _("; no email was ever for them") if not any(row[3] for row in rows if row[2]) else ""
            lines.append((-without, told + none))
    yield from (line for _n, line in sorted(lines))


def _dry(found: "Coverage") -> Iterator[str]:
    from leadflow.conditions.dates import day_words

    today = found.at.astimezone(_zone(found)).date()
    for cell in found.dry:
        day = cell.first.astimezone(_zone(found)).date() if cell.first else today
        when = _("tonight") if day <= today else _("from {date} on").format(date=day_words(day, today))
        told = ngettext("{cell}: {when}, {n} person", "{cell}: {when}, {n} people", cell.people)
        yield told.format(cell=cell.name, when=when, n=cell.people)


def _zone(found: "Coverage") -> ZoneInfo:
    return ZoneInfo(found.zone)


def _json(found: "Coverage") -> str:
    cells = [
        {
            "language": cell.language,
            "segment": cell.segment or None,
            "stage": cell.stage,
            "band": cell.band,
            "mails": count.mails,
            "people": count.people,
            "without": count.without,
            "fewest": count.fewest,
            "most": count.most,
        }
        for cell, count in sorted(found.cells.items())
    ]
    told = {
        "at": found.at.isoformat(),
        "people": found.people,
        "cells": cells,
        "dry": [
            {"cell": cell.name, "people": cell.people, "first": cell.first.isoformat() if cell.first else None}
            for cell in found.dry
        ],
        "never": dict(found.never),
        "for_nobody_here": list(found.unmet),
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(coverage)

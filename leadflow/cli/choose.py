"""`leadflow choose`: the emails a person could get next, what each asks of them, which wins and why."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from leadflow.cli.common import At, Workspace, console, instant, opened, plain_errors
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.ask.choose import Candidate, Choosing
    from leadflow.ask.shelf import Mark

Format = Literal["text", "json"]
#: A column for each key of `for` needs this much room.
_WIDE = 150


def choose(
    lead: Annotated[str, typer.Option("--lead", help="An address, or a lead's number such as L-0147.")],
    step: Annotated[
        str | None,
        typer.Option("--step", help="A step such as evaluation/proof-1; default: the next email step of that lead."),
    ] = None,
    workspace: Workspace = None,
    at: At = None,
    form: Annotated[Format, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """Which email a lead gets next: every candidate, what it asks, what they had already, who wins and why."""
    from leadflow.app.choosing import choose as answer

    with plain_errors():
        app = opened(workspace)
        asked = None if at is None else instant(app, at)
        found = answer(app, lead, step, asked, now=datetime.now(UTC))
    if form == "json":
        typer.echo(_json(found, app.playbook.version))
    else:
        _show(found, lead)


def _show(found: "Choosing", lead: str) -> None:
    from leadflow.ask.dates import moment_of

    main = found.reader.main or _("no segment")
    console.print(Text(f"{found.who} · {main}", style="bold"), soft_wrap=True)
    console.print(Text(f"{_asks(found)} · {moment_of(found.view.now, found.view)}"), soft_wrap=True)
    if found.candidates:
        console.print()
        console.print(_table(found))
        console.print()
    for line in _below(found, lead):
        style = "bold green" if line.startswith("→") else "yellow" if line.startswith("⚠") else None
        console.print(Text(line, style=style or ""), soft_wrap=True)


def _asks(found: "Choosing") -> str:
    if found.asking is None:
        return _("no sequence has a mail for them ahead: the best email for their stage, {stage}").format(
            stage=found.best_for
        )
    if found.best_for is None:
        return _("{step} names its email").format(step=found.asking.name)
    return _("{step} asks for the best email for {stage}").format(step=found.asking.name, stage=found.best_for)


def _below(found: "Choosing", lead: str) -> Iterator[str]:
    """Who wins and why, and what the table has no room for."""
    winner, n = found.winner, len(found.fitting)
    if winner is None:
        yield f"✗ {found.why}"
    else:
        chosen = _("{email}, in {language}: {why}").format(
            email=winner.email.name, language=winner.language, why=found.why
        )
        yield f"→ {chosen}"
        if winner.email.variants:
            yield "  " + _drawn(winner)
    if found.best_for is not None and len(found.candidates) > 1:
        total = len(found.candidates)
        told = ngettext("{n} of {total} candidates fits", "{n} of {total} candidates fit", n)
        yield "  " + told.format(n=n, total=total) + (_("; · asks nothing of the kind") if _is_wide() else "")
    if found.later is not None:
        told = _("nothing is chosen here; the next step that chooses: --step {step}")
        yield "  " + told.format(step=found.later.name)
    if found.best_for not in (None, found.reader.stage):
        yield "⚠ " + _("they are in {stage}: only what is for both stages can be chosen").format(
            stage=found.reader.stage
        )
    if found.blocked is not None:
        from leadflow.ask.words import reason_words

        told = _("whatever is chosen, they get no mail now: {reason} (leadflow why {lead} --not)")
        yield "⚠ " + told.format(reason=reason_words(found.blocked), lead=lead)


def _drawn(winner: "Candidate") -> str:
    """Which of its variants they get, and how many others do."""
    from leadflow.email.variants import ORIGINAL, shares_of

    shares = shares_of(winner.email)
    told = _("of its variants they get {variant}, like {share} % of those it goes to, whenever it goes")
    return told.format(variant=winner.variant or ORIGINAL, share=shares[winner.variant])


def _table(found: "Choosing") -> Table:
    """A row a candidate; columns in which nobody asks anything are left out."""
    asked = {mark.key for one in found.candidates for mark in one.marks if mark.asked}
    columns = [(key, title) for key, title in _columns() if key in asked]
    wide = _is_wide()
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column(_("email"), no_wrap=True)
    table.add_column(_("rank"), justify="right")
    for title in [title for _key, title in columns] if wide else [_("why, or why not")]:
        table.add_column(title)
    winner = found.winner
    for one in found.candidates:
        sign = "→" if one is winner else "✓" if one.fits else "✗"
        marks = {mark.key: mark for mark in one.marks}
        cells = [_cell(found, one, marks[key]) if key in marks else Text("·", style="dim") for key, _title in columns]
        said = cells if wide else [_in_words(found, one)]
        style = "bold" if one is winner else "" if one.fits else "dim"
        table.add_row(sign, one.email.name, str(one.email.rank), *said, style=style)
    return table


def _in_words(found: "Choosing", one: "Candidate") -> Text:
    """The same in one column: what they are of what it asks, or what stands in the way."""
    from leadflow.ask.dates import days_of

    if not one.fits:
        more = {"received": " " + _("(once in {span})").format(span=days_of(one.email.again_after))}
        said = (mark.refusal + more.get(mark.key, "") for mark in one.marks if not mark.holds)
        return Text("; ".join(said), style="not dim red")
    asked = [mark for mark in one.marks if mark.asked and mark.key not in ("received", "needs")]
    words = {"fit": _("fit {band}"), "engagement": _("engagement {band}")}
    return Text(", ".join(words.get(mark.key, "{band}").format(band=_said(found, one, mark)) for mark in asked))


def _is_wide() -> bool:
    return console.width >= _WIDE


def _columns() -> tuple[tuple[str, str], ...]:
    return (
        ("stage", _("stage")),
        ("segments", _("segments")),
        ("fit", _("fit")),
        ("engagement", _("engagement")),
        ("languages", _("language")),
        ("when", _("condition")),
        ("needs", _("needs")),
        ("received", _("had it")),
    )


def _cell(found: "Choosing", one: "Candidate", mark: "Mark") -> Text:
    if not mark.asked:
        return Text("·", style="dim")
    said = _said(found, one, mark)
    return Text(f"✓ {said}") if mark.holds else Text(f"✗ {said}", style="not dim red")


def _said(found: "Choosing", one: "Candidate", mark: "Mark") -> str:
    """What they are where it holds; what is asked where it does not."""
    from leadflow.ask.dates import date_of, days_of

    wanted, reader = one.email.audience, found.reader
    match mark.key:
        case "stage":
            return reader.stage if mark.holds else ", ".join(wanted.stage)
        case "segments":
            held = [name for name in wanted.segments if name in reader.segments] if mark.holds else wanted.segments
            return ", ".join(held)
        case "fit":
            return reader.band[:1] if mark.holds else ", ".join(wanted.fit)
        case "engagement":
            return reader.band[1:] if mark.holds else ", ".join(wanted.engagement)
        case "languages":
            return one.language or _("only {languages}").format(languages=", ".join(one.email.bodies))
        case "when":
            return one.when
        case "needs":
            return _("all known") if mark.holds else ", ".join(one.lacks)
        case _ if one.had is None:
            return _("never")
        case _ if mark.holds:
            return _("last {date}").format(date=date_of(one.had, found.view))
        case _:
            again = days_of(one.email.again_after)
            return _("{date}, once in {again}").format(date=date_of(one.had, found.view), again=again)


def _json(found: "Choosing", version: str) -> str:
    winner = found.winner
    told = {
        "at": found.view.now.isoformat(),
        "playbook": version,
        "lead": f"L-{found.lead_id:04}",
        "step": found.asking.name if found.asking else None,
        "best_for": found.best_for,
        "stage": found.reader.stage,
        "band": found.reader.band,
        "segment_main": found.reader.main,
        "segments": sorted(found.reader.segments),
        "blocked": found.blocked,
        "chosen": winner.email.name if winner else None,
        "language": winner.language if winner else None,
        "variant": winner.variant or None if winner else None,
        "candidates": [_row(one) for one in found.candidates],
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def _row(one: "Candidate") -> dict[str, object]:
    return {
        "email": one.email.name,
        "fits": one.fits,
        "rank": one.email.rank,
        "for_main_segment": one.for_main,
        "specificity": one.email.audience.specificity,
        "language": one.language,
        #: null where nothing of the kind is asked.
        "asks": {mark.key: mark.holds if mark.asked else None for mark in one.marks},
        "had": one.had.isoformat() if one.had else None,
        "again_from": one.again_from.isoformat() if one.again_from else None,
        "lacks": list(one.lacks),
    }


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(choose)

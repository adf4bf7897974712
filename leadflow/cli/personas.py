"""`leadflow test`: the segments' examples and the personas, on the engine itself and a clock that nobody waits for."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from leadflow.cli.common import Workspace, console, plain_errors
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.errors import Fault
    from leadflow.playbook.model import Playbook, Segment
    from leadflow.testing.rehearse import Rehearsal

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]…", help="Segments and personas; without any, all of them.")
]


def try_all(names: Names = None, workspace: Workspace = None) -> None:
    """Try the segments' examples, and live the days of each persona: do they receive what they must?"""
    from leadflow.playbook.load import check_playbook
    from leadflow.settings import load_settings
    from leadflow.testing.persona import persona_paths

    with plain_errors():
        place = load_settings(workspace).workspace
        playbook, faults = check_playbook(place)
        errors = [fault for fault in faults if fault.severity == "error"]
        _refuse_other_faults(errors)
        segments = [path.stem for path in sorted((place / "segments").glob("*.yaml"))]
        paths = persona_paths(place)
        wanted = _wanted(names or [], [*segments, *(path.stem for path in paths)])
        tried = [name for name in segments if name in wanted]
        failed = sum(_try_segment(name, playbook, errors) for name in tried)
        told = [path for path in paths if path.stem in wanted]
        if playbook is None and told:
            console.print(_("the personas wait until the examples hold"), style="yellow", soft_wrap=True)
        failed += _play(told, playbook) if playbook else 0
    _sum_up(len(tried) + (len(told) if playbook else 0), failed)
    if failed or playbook is None:
        raise typer.Exit(1)


def _refuse_other_faults(errors: "Sequence[Fault]") -> None:
    """PlaybookError where more is wrong than an example: without its words nobody can be played."""
    from leadflow.errors import PlaybookError

    other = [fault for fault in errors if not fault.file.startswith("segments/")]
    if other:
        raise PlaybookError(other)


def _wanted(names: Iterable[str], known: Sequence[str]) -> set[str]:
    from leadflow.errors import UsageError
    from leadflow.reading import did_you_mean

    for name in names:
        if name not in known:
            told = _('there is no segment and no persona "{name}".').format(name=name)
            raise UsageError(told + did_you_mean(name, known))
    return set(names) or set(known)


def _try_segment(name: str, playbook: "Playbook | None", errors: "Sequence[Fault]") -> bool:
    """Print how the examples of a segment went; whether one failed."""
    wrong = [fault for fault in errors if PurePosixPath(fault.file).stem == name]
    segment: Segment | None = playbook.segments.get(name) if playbook else None
    _line(name, _examples(segment) if segment and not wrong else _("examples"), good=not wrong)
    for fault in wrong:
        console.print(f"  {fault}", style="red", markup=False, soft_wrap=True)
    return bool(wrong)


def _examples(segment: "Segment") -> str:
    n = len(segment.examples)
    if not n:
        return _("no examples")
    return ngettext("{n} example is judged as it says", "{n} examples are judged as they say", n).format(n=n)


def _play(paths: Sequence[Path], playbook: "Playbook") -> int:
    """Live each persona's days, and print how they went; how many failed."""
    from rich.progress import Progress

    failed = 0
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(paths))
        for path in paths:
            bar.update(task, description=path.stem)
            failed += _play_one(path, playbook)
            bar.advance(task)
    return failed


def _play_one(path: Path, playbook: "Playbook") -> bool:
    from leadflow.errors import PlaybookError
    from leadflow.testing.persona import read_persona
    from leadflow.testing.rehearse import rehearse

    try:
        lived: Rehearsal = rehearse(read_persona(path, playbook), playbook)
    except PlaybookError as error:
        _line(path.stem, _("cannot be played as it is written"), good=False)
        for fault in error.faults:
            console.print(f"  {fault}", style="red", markup=False, soft_wrap=True)
        return True
    _line(path.stem, lived.persona.title, good=not lived.failures)
    _tell(lived)
    return bool(lived.failures)


def _tell(lived: "Rehearsal") -> None:
    told = " · ".join(_("day {day}: {what}").format(day=one.day, what=one.told) for one in lived.story)
    console.print(f"  {told or _('nothing happens')}", style="dim", markup=False, soft_wrap=True)
    for failure in lived.failures:
        console.print(f"  {failure.fault}", style="red", markup=False, soft_wrap=True)
        for line in failure.why:
            console.print(f"    {line}", markup=False, soft_wrap=True)


def _line(name: str, told: str, *, good: bool) -> None:
    console.print(f"{'✓' if good else '✗'} {name}: {told}", style=None if good else "red", markup=False, soft_wrap=True)


def _sum_up(tried: int, failed: int) -> None:
    parts = [ngettext("{n} tried", "{n} tried", tried).format(n=tried)]
    parts.append(
        ngettext("{n} not as told", "{n} not as told", failed).format(n=failed) if failed else _("all as told")
    )
    console.print(" · ".join(parts))


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("test")(try_all)

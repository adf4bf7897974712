"""A workspace that cases change and give back: the shipped example with the mails its steps need, and one to break."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1]
EMAILS = "templates/emails"
#: Where a fault is to be said.
MARK = "‸"
Place = tuple[str, int, int]


def lay_out(folder: Path) -> Path:
    """The workspace in `folder`: fewer mails than the example has, since each case reads all of them."""
    for part in ("config", "segments", "lists", "pages"):
        shutil.copytree(EXAMPLE / part, folder / part)
    for name in ("_base", *_needed(load_playbook(EXAMPLE))):
        shutil.copytree(EXAMPLE / EMAILS / name, folder / EMAILS / name)
    shutil.copytree(HERE / "case", folder / EMAILS / "case")
    return folder


def _needed(playbook: Playbook) -> set[str]:
    """The emails that steps and wishes name, and for each stage one that is for everybody there."""
    named = {getattr(step, "email", None) for sequence in playbook.sequences for step in sequence.steps}
    plain = [email for email in playbook.emails.values() if email.pick == "best" and not email.audience.segments]
    first = {stage: email.name for email in reversed(plain) for stage in email.audience.stage}
    return {name for name in (*named, *first.values(), *playbook.rights.emails.values()) if name is not None}


@contextmanager
def changed(workspace: Path, changes: Mapping[str, Any]) -> Iterator[Place | None]:
    """`workspace` with `changes` for the time of a block, which gets the place of the mark."""
    before: dict[Path, bytes | None] = {}
    marked: Place | None = None

    def write(name: str, text: str | None) -> None:
        file = workspace / name
        before.setdefault(file, file.read_bytes() if file.is_file() else None)
        if text is None:
            file.unlink(missing_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="")

    try:
        for short, change in changes.items():
            name = short.replace("case/", f"{EMAILS}/case/") if short.startswith("case/") else short
            text = _text_after(workspace / name, change)
            if ".html" in name or ".mjml" in name:
                write(name.rpartition(".")[0] + ".md", None)
            marked = _place(name, text) or marked
            write(name, None if text is None else text.replace(MARK, ""))
        yield marked
    finally:
        for file, content in before.items():
            if content is None:
                file.unlink(missing_ok=True)
                # A folder without a file would be an email of its own.
                with suppress(OSError):
                    file.parent.rmdir()
            else:
                file.write_bytes(content)


def _text_after(file: Path, change: Any) -> str | None:
    if change is None or isinstance(change, str):
        return change
    if isinstance(change, dict) and "repeat" in change:
        return str(change["repeat"] * change["times"])
    text = file.read_text(encoding="utf-8")
    for one in change if isinstance(change, list) else [change]:
        assert one["from"] in text, f"{one['from']!r} is not in {file.name}"
        text = text.replace(one["from"], one["to"], 1)
    return text


def _place(name: str, text: str | None) -> Place | None:
    if text is None or MARK not in text:
        return None
    before = text[: text.index(MARK)]
    return name, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1


def place_in(workspace: Path, at: Mapping[str, str]) -> Place:
    """Where `at` points: the mark of a text in a file, line and column, or the file as a whole."""
    ((short, marked),) = at.items()
    name = short.replace("case/", f"{EMAILS}/case/") if short.startswith("case/") else short
    if not marked:
        return name, 0, 0
    if found := re.fullmatch(r"(\d+):(\d+)", marked):
        return name, int(found[1]), int(found[2])
    plain = marked.replace(MARK, "")
    text = (workspace / name).read_text(encoding="utf-8")
    assert plain in text, f"{plain!r} is not in {name}"
    place = _place(name, text.replace(plain, marked, 1))
    assert place is not None, f"{marked!r} has no {MARK}"
    return place

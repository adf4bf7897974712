"""Mails that came back, in a folder a mail server delivers to: a Maildir, or one mbox file."""

import mailbox
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from leadflow.errors import UsageError
from leadflow.text import _

#: Mails read at once, and bytes of one that are read.
_AT_ONCE = 500
_LARGEST = 10_000_000


@dataclass(slots=True)
class Delivered:
    """The mails of one look into the folder; those that `done` is said of are not found again."""

    mails: list[bytes] = field(default_factory=list)
    #: Larger than any answer: passed over, and left where they are.
    too_large: int = 0
    is_done: bool = False

    def done(self) -> None:
        """They are kept elsewhere now."""
        self.is_done = True


@contextmanager
def new_mails(folder: Path) -> Iterator[Delivered]:
    """The mails nobody has read: new ones of a Maildir, which are marked as seen; all of an mbox, which are taken out.

    UsageError where there is neither.
    """
    if (folder / "new").is_dir() and (folder / "cur").is_dir():
        with _of_maildir(folder) as found:
            yield found
    elif folder.is_file():
        with _of_mbox(folder) as found:
            yield found
    else:
        raise UsageError(
            _("{folder} is no Maildir (a folder with new/ and cur/) and no mbox file").format(folder=folder)
        )


@contextmanager
def _of_maildir(folder: Path) -> Iterator[Delivered]:
    found, taken = Delivered(), []
    for path in sorted((folder / "new").iterdir())[:_AT_ONCE]:
        if not path.is_file():
            continue
        if path.stat().st_size > _LARGEST:
            found.too_large += 1
            continue
        found.mails.append(path.read_bytes())
        taken.append(path)
    yield found
    if found.is_done:
        for path in taken:
            # As a reader of mail would: seen, and still there.
            path.rename(folder / "cur" / f"{path.name.partition(':')[0]}:2,S")


@contextmanager
def _of_mbox(file: Path) -> Iterator[Delivered]:
    box, found, taken = mailbox.mbox(file), Delivered(), []
    try:
        # The mail server waits meanwhile: what it wrote now would be lost with the rewriting.
        box.lock()
    except mailbox.ExternalClashError:
        raise UsageError(_("{file} is being written to: try again").format(file=file)) from None
    try:
        for key in box.keys()[:_AT_ONCE]:
            raw = box.get_bytes(key)
            if len(raw) > _LARGEST:
                found.too_large += 1
                continue
            found.mails.append(raw)
            taken.append(key)
        yield found
        if found.is_done and taken:
            for key in taken:
                box.remove(key)
            box.flush()
    finally:
        box.unlock()
        box.close()

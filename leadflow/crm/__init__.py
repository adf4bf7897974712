"""Where hand-overs go: CRMs and the channels that tell salespeople, one file each."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put `text` at `path` whole or not at all, on the disk when this returns; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)

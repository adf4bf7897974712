"""Lays what a scenario changes over a copy of a workspace's files, so that the real loader reads and checks it."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from leadflow.app.workspace import SOURCES
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook

#: A condition is replaced as a whole: two of them merged would say something else.
_CONDITION = frozenset({"all", "any", "not", "field", "event", "segment"})
#: Path of a file below the workspace → its keys to replace, or its whole text; mappings are merged, None takes away.
Changes = Mapping[str, Mapping[str, Any] | str | None]


def lay_over(workspace: Path, changes: Changes, folder: Path) -> Playbook:
    """The playbook of `workspace` with `changes`, read from a copy in `folder`; PlaybookError with its faults."""
    if not folder.exists():
        for source in SOURCES:
            if (workspace / source).is_dir():
                shutil.copytree(workspace / source, folder / source)
    for path, change in changes.items():
        _change_file(folder / path, change)
    return load_playbook(folder)


def _change_file(path: Path, change: Mapping[str, Any] | str | None) -> None:
    if change is None:
        path.unlink()
        return
    if isinstance(change, str):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change)
        return
    # Read as the loader reads: NO is a word and 1.10 three signs.
    present = YAML(typ="base", pure=True).load(path.read_text()) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    # JSON is YAML, and says of each scalar that it is a text.
    path.write_text(json.dumps(_merged(present, change), ensure_ascii=False, indent=1))


def _merged(present: Any, change: Any) -> Any:
    if not isinstance(change, Mapping) or not _CONDITION.isdisjoint(change):
        return change
    base = dict(present) if isinstance(present, Mapping) else {}
    for key, value in change.items():
        if value is None:
            base.pop(key, None)
        else:
            base[key] = _merged(base.get(key), value)
    return base

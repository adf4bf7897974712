"""JSON Schemas of the files marketers write, so that editors complete their words and underline what is wrong."""

import json
from collections.abc import Mapping
from pathlib import Path

from leadflow.conditions.vocabulary import Vocabulary
from leadflow.playbook.model import Playbook
from leadflow.playbook.schema.conditions import condition_parts
from leadflow.playbook.schema.files import FILES
from leadflow.playbook.schema.parts import Schema, shared_parts
from leadflow.playbook.vocabulary import vocabulary_of

FOLDER = ".schemas"


def schemas(playbook: Playbook | None = None) -> Mapping[str, Schema]:
    """Name of each file type → its schema, with the names `playbook` declares where there is one."""
    parts = {**shared_parts(playbook), **condition_parts(_vocabulary(playbook))}
    return {
        name: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"leadflow: {name}",
            **root,
            "$defs": parts,
        }
        for name, root in FILES.items()
    }


def write_schemas(workspace: Path, playbook: Playbook | None = None) -> list[Path]:
    """Write `.schemas/<file type>.json` in `workspace`; the paths written."""
    folder = workspace / FOLDER
    folder.mkdir(exist_ok=True)
    written = []
    for name, schema in schemas(playbook).items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _vocabulary(playbook: Playbook | None) -> Vocabulary:
    return playbook.vocabulary if playbook else vocabulary_of(fields={}, events={}, stages=(), criteria=(), segments=())

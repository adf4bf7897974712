"""Faults as people, programs and GitHub read them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from leadflow.errors import Fault, Severity


def as_json(faults: Sequence[Fault]) -> str:
    """A list of objects, one a fault; `line` and `column` are 0 for a file as a whole."""
    told = [
        {
            "file": fault.file,
            "line": fault.line,
            "column": fault.column,
            "severity": str(fault.severity),
            "code": fault.code or None,
            "message": fault.message,
            "mend": fault.mend or None,
        }
        for fault in faults
    ]
    return json.dumps(told, ensure_ascii=False, indent=2)


def as_github(fault: Fault, workspace: Path) -> str:
    """A workflow command: GitHub shows it beside the line, in the pull request."""
    kind = "error" if fault.severity is Severity.ERROR else "warning"
    places = {"file": _in_repository(workspace / fault.file)}
    if fault.line:
        places |= {"line": str(fault.line), "col": str(fault.column)}
    if fault.code:
        places["title"] = fault.code
    said = ",".join(f"{name}={_property(value)}" for name, value in places.items())
    return f"::{kind} {said}::{_escaped(fault.words)}"


def _in_repository(file: Path) -> str:
    """The path from the checkout's root, which GitHub's runner names; from here where there is none."""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    place = file.resolve()
    return (place.relative_to(root) if place.is_relative_to(root) else file).as_posix()


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")

"""The shipped example workspace, and a copy of it to start from."""

import shutil
from pathlib import Path

from leadflow.errors import UsageError
from leadflow.text import _

#: What makes a workspace; `sample` holds the demo's leads.
PARTS = ("config", "segments", "templates", "lists", "pages", "personas", "sample", "prefect.yaml")


def example_workspace() -> Path:
    """Where the example lies: inside an installed wheel, else the checkout itself."""
    shipped = Path(__file__).parents[1] / "_workspace"
    return shipped if shipped.is_dir() else Path(__file__).parents[2]


def copy_example(folder: Path) -> int:
    """Copy the example into `folder` and return the number of files; UsageError when it holds a workspace already."""
    if any((folder / part).exists() for part in PARTS):
        raise UsageError(_("{folder} already holds a workspace: name a new folder").format(folder=folder))
    source = example_workspace()
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        origin = source / part
        if origin.is_dir():
            shutil.copytree(origin, folder / part, dirs_exist_ok=True)
        elif origin.exists():
            shutil.copy2(origin, folder / part)
    return sum(path.is_file() for part in PARTS for path in [folder / part, *(folder / part).rglob("*")])

"""`leadflow schema`: JSON Schemas of the workspace's files, for editors."""

import typer

from leadflow.cli.common import Workspace, console, plain_errors
from leadflow.text import _, ngettext


def schema(workspace: Workspace = None) -> None:
    """Write .schemas/: editors then complete the words of YAML files and underline what is wrong."""
    from leadflow.errors import UsageError
    from leadflow.playbook.load import check_playbook
    from leadflow.playbook.schema import FOLDER, write_schemas
    from leadflow.settings import load_settings

    with plain_errors():
        place = load_settings(workspace).workspace
        if not (place / "config").is_dir():
            raise UsageError(_("{folder} is no workspace: it has no config/").format(folder=place))
        # Faults elsewhere do not matter here: the schemas help to mend them.
        playbook, _faults = check_playbook(place)
        written = write_schemas(place, playbook)
    told = ngettext("{n} schema in {folder}", "{n} schemas in {folder}", len(written))
    console.print(told.format(n=len(written), folder=place / FOLDER), markup=False, soft_wrap=True)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(schema)

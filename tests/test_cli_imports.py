"""Help costs nothing: no command loads what only its work needs."""

import json
import subprocess
import sys

import pytest

HEAVY = ("prefect", "sqlalchemy", "fastapi", "jinja2", "apscheduler", "uvicorn", "ruamel")

_LOOK = """
import json, sys
from leadflow.cli import main
sys.argv = ["leadflow", *{words!r}]
try:
    main.main()
except SystemExit:
    pass
loaded = [name for name in {heavy!r} if name in sys.modules]
commands = [found.name or found.callback.__name__ for found in main.app.registered_commands]
groups = [found.name for found in main.app.registered_groups]
print("\\n" + json.dumps([loaded, sorted(commands + [name for name in groups if name])]))
"""


def looked(*words: str) -> tuple[list[str], list[str]]:
    """What `leadflow WORDS` had loaded when it ended, and the commands there are."""
    code = _LOOK.format(words=list(words), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout
    loaded, commands = json.loads(done.stdout.splitlines()[-1])
    return loaded, commands


def test_help_loads_nothing_heavy() -> None:
    loaded, commands = looked("--help")
    assert loaded == []
    assert {"run", "serve", "ui", "check", "init"} <= set(commands)


@pytest.mark.slow
def test_nor_does_the_help_of_any_command() -> None:
    _, commands = looked("--help")
    heavy = {name: loaded for name in commands if (loaded := looked(name, "--help")[0])}
    assert heavy == {}

"""How long a command takes to say its help, against what typer and rich alone take to be imported."""

import subprocess
import sys
import time
from pathlib import Path

from bench.table import Line, Say, at_most

_REPEATS = 7


def lines(say: Say) -> list[Line]:
    """The one line of the start-up."""
    say("start-up: leadflow --help")
    ours, floor = start_up()
    return [at_most('leadflow --help / python -c "import typer, rich"', "", [ours], [floor])]


def start_up() -> tuple[float, float]:
    """Seconds of `leadflow --help` and of `python -c "import typer, rich"`, each the best of several."""
    command = [str(Path(sys.executable).with_name("leadflow")), "--help"]
    # In turns, so that both meet the same other load.
    pairs = [(_timed(command), _timed([sys.executable, "-c", "import typer, rich"])) for _ in range(_REPEATS)]
    return min(ours for ours, _ in pairs), min(floor for _, floor in pairs)


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started

"""What Prefect costs: the same delivery as a flow run on a local server, and without Prefect, in turn."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.delivery import _asked, _databases, _sink
from bench.delivery_rows import NOW, fill, fill_again, make_workspace
from bench.table import Line, Say, seconds, show
from leadflow.scheduler.server import client_environment, local_server

MAILS, REPEATS = 100_000, 3
#: Of the delivery's own time.
SHARE = 0.02


def lines(say: Say, mails: int = MAILS) -> list[Line]:
    """The two side by side on each database: the server, its browser pages and its own database run beside them."""
    with tempfile.TemporaryDirectory() as folder, _sink() as url:
        place = Path(folder)
        version = make_workspace(place)
        say("prefect: filling the outboxes")
        fill(f"sqlite:///{place / 'SQLite.db'}", mails, version)
        with local_server(place, port=0, drive=False) as server, _databases(place) as databases:
            told = {**client_environment(place), "PREFECT_API_URL": server.api}
            return [_measure(place, kind, database, url, mails, told, say) for kind, database in databases.items()]


def _measure(place: Path, kind: str, database: str, url: str, mails: int, told: Mapping[str, str], say: Say) -> Line:
    settings = {"ESP": "sendgrid", "SENDGRID_URL": url, "SENDGRID_API_KEY": "SG.bench", "DATABASE_URL": database}
    text = "".join(f"LEADFLOW_{name}={value}\n" for name, value in settings.items())
    (place / ".env").write_text(text, encoding="utf-8")
    took: dict[str, list[float]] = {"plain": [], "flow": []}
    for number in range(REPEATS):
        # In turn, and each first as often as second: a machine warms up or tires.
        for how in ("plain", "flow") if number % 2 else ("flow", "plain"):
            took[how].append(_run(place, how, told))
            _asked(url, mails)
            fill_again(database)
            say(f"prefect: {kind} {how} {number + 1} of {REPEATS}: {seconds(took[how][-1])}")
    flow, plain = median(took["flow"]), median(took["plain"])
    return Line(
        what=f"{mails:,} mails as a flow run",
        database=kind,
        figure=seconds(flow),
        floor=seconds(plain),
        ratio=flow / plain,
        promise=f"≤ {1 + SHARE:g} ×",
        kept=flow <= plain * (1 + SHARE),
    )


def _run(place: Path, how: str, told: Mapping[str, str]) -> float:
    command = [sys.executable, "-m", "bench.prefect_run", str(place), NOW.isoformat(), how]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **told})
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["told"].get("waiting", 0) == 0, said
    assert said["told"].get("state", "Completed") == "Completed", said
    return float(said["seconds"])


if __name__ == "__main__":
    print(show(lines(lambda what: print(what, file=sys.stderr), int(sys.argv[1]) if sys.argv[1:] else MAILS)))

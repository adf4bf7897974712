"""`leadflow check` reads a workspace full of hostile templates, and lives to tell."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.email.hostile.test_templates import corpus
from tests.soak import SOAK

_ROOT = Path(__file__).parents[3]
#: Every so many of the corpus in each run, all of them in a soak.
EVERY = 1 if SOAK else 10
#: Half a gigabyte, as the shell counts.
_RUN = 'ulimit -v 524288; exec "$0" -c "from leadflow.cli.main import main; main()" check --files --format json'


def test_check_reads_hostile_templates_and_lives_to_tell(tmp_path: Path) -> None:
    for folder in ("config", "segments", "lists", "templates", "pages"):
        shutil.copytree(_ROOT / folder, tmp_path / folder)
    cases = list(corpus())[::EVERY]
    for number, (part, kind, source) in enumerate(cases):
        _write(tmp_path / "templates" / "emails" / f"hostile-{number}", part, kind, source)
    environment = {"PYTHONPATH": str(_ROOT), "LEADFLOW_LANG": "en"}
    done = subprocess.run(
        ["sh", "-c", _RUN, sys.executable], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "")
    found = json.loads(done.stdout)
    faulty = {fault["file"].split("/")[2] for fault in found if fault["file"].startswith("templates/emails/hostile-")}
    assert len(faulty) > 0.9 * len(cases)
    assert all(fault["line"] >= 0 and "Traceback" not in fault["message"] for fault in found)


def _write(folder: Path, part: str, kind: str, source: str) -> None:
    folder.mkdir()
    lines = {name: json.dumps(source if part == name else "fine") for name in ("subject", "preheader")}
    head = "title: A\npurpose: nurture\npick: named\nfor: {languages: [en]}\n"
    whole = head + "".join(f"{name}: {{en: {line}}}\n" for name, line in lines.items())
    (folder / "email.yaml").write_text(whole, encoding="utf-8")
    (folder / f"body.en.{kind}").write_bytes((source if part == "body" else "fine").encode("utf-8", "replace"))
    if part == "text":
        (folder / "body.en.txt").write_bytes(source.encode("utf-8", "replace"))

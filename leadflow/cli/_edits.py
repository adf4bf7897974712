"""Who last edited each email, and when, as the workspace's Git history tells."""

import subprocess
from datetime import date
from pathlib import Path, PurePosixPath

from leadflow.ask.report.emails import FOLDER, Edit


def last_edits(workspace: Path) -> dict[str, Edit]:
    """Email → its newest commit; empty where there is no Git, or no history."""
    words = ["git", "-C", str(workspace), "log", "--format=%x00%as%x09%an", "--name-only", "--relative", "--", FOLDER]
    try:
        done = subprocess.run(words, capture_output=True, check=False, encoding="utf-8", errors="replace")  # noqa: S603 - the words are ours
    except FileNotFoundError:
        return {}
    found: dict[str, Edit] = {}
    for commit in done.stdout.split("\0")[1:] if not done.returncode else ():
        head, *paths = commit.strip().splitlines()
        day, _tab, author = head.partition("\t")
        for path in filter(None, paths):
            # Newest first: what stands there already is newer.
            found.setdefault(PurePosixPath(path).parent.name, Edit(day=date.fromisoformat(day), author=author))
    return found

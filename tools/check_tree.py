"""Keep out of the tracked files what ties them to one machine or one index, and what is left undone."""

import re
import subprocess
import sys
from pathlib import Path

FORBIDDEN = {
    "names a package index": r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|--(?:extra-)?index-url[ =]\S",
    "names a folder of one machine": r"(?<![\w.*/-])/(?:work|root|Users)/\w|/tmp/(?:brief|house)\b",
    "leaves work undone": r"\b(?:TODO|FIXME)\b",
}
PATTERNS = {reason: re.compile(pattern) for reason, pattern in FORBIDDEN.items()}


def faults(path: Path) -> list[str]:
    """Each forbidden word of `path`, located; a file that is not text has none."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []
    lines = enumerate(text.splitlines(), start=1)
    return [
        f"{path}:{number}  {reason}: {match.group()}"
        for number, line in lines
        for reason, pattern in PATTERNS.items()
        if (match := pattern.search(line))
    ]


def main() -> int:
    """Print every fault of the tracked files; 1 when there is one."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True, text=True).stdout
    paths = [path for name in listed.split("\0") if (path := Path(name)).is_file() and path.name != Path(__file__).name]
    found = [fault for path in paths for fault in faults(path)]
    print("\n".join(found), end="\n" if found else "")
    print(f"{len(paths)} tracked files, {len(found)} faults")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

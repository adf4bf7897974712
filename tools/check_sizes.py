"""Keep files under 300 lines and nine function bodies in ten within 25; print where they are not."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 300
BODY_LINES = 25
ROOTS = ("leadflow", "flows")


def bodies(path: Path) -> Iterator[tuple[int, str]]:
    """The length of each function body in `path`, docstring apart, and where it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield (node.end_lineno or 0) - body[0].lineno + 1, f"{path}:{node.lineno}  {node.name}"


def main() -> int:
    """Print every offender; 1 when a limit is passed."""
    # A migration is a list of tables, frozen when it is released: nobody reads it as a file of code.
    paths = sorted(p for root in ROOTS for p in Path(root).rglob("*.py") if "versions" not in p.parts)
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    long_files = [f"{path}:1  {count} lines" for path, count in lines.items() if count >= FILE_LINES]
    functions = sorted(found for path in paths for found in bodies(path))
    ninetieth = functions[int(len(functions) * 0.9)][0] if functions else 0
    print("\n".join(long_files), end="\n" if long_files else "")
    if ninetieth > BODY_LINES:
        print("\n".join(f"{where}: {count} lines" for count, where in reversed(functions) if count > BODY_LINES))
    print(f"{len(paths)} files, longest {max(lines.values(), default=0)} lines; ", end="")
    print(f"{len(functions)} functions, 90th percentile {ninetieth} lines")
    return int(bool(long_files) or ninetieth > BODY_LINES)


if __name__ == "__main__":
    sys.exit(main())

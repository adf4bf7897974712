"""Prints what every fire did and what it cost, as one table at the end of a run, with its date and commit."""

import subprocess
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import pytest


@dataclass(slots=True, kw_only=True)
class Line:
    """One suite on one database; nothing but zeros after `faults` keeps the guarantee."""

    suite: str
    database: str
    messages: int = 0
    kills: int = 0
    faults: int = 0
    lost: int = 0
    duplicated: int = 0
    stuck: int = 0
    #: Requests that nothing official was there to check.
    unchecked: int = 0


_NUMBERS = ("messages", "kills", "faults", "lost", "duplicated", "stuck")
_noted: list[Line] = []


def note(line: Line) -> None:
    """Keep a line until its test has passed or failed."""
    _noted.append(line)


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Put what the test noted into its report."""
    if call.when == "call":
        item.user_properties.extend(("fire", astuple(line)) for line in _noted)
        _noted.clear()


_lines: dict[tuple[str, str], Line] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the lines of each suite and database."""
    if report.when != "call":
        return
    for name, values in report.user_properties:
        if name == "fire" and isinstance(values, (list, tuple)):
            found = Line(**dict(zip((one.name for one in fields(Line)), values, strict=True)))
            total = _lines.setdefault((found.suite, found.database), Line(suite=found.suite, database=found.database))
            for number in (*_NUMBERS, "unchecked"):
                setattr(total, number, getattr(total, number) + getattr(found, number))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table, and its sum."""
    if not _lines:
        return
    terminalreporter.section(f"under fire, {datetime.now(UTC):%Y-%m-%d}, {_commit()}")
    terminalreporter.write_line(f"{'suite':<34}{'database':<10}" + "".join(f"{name:>11}" for name in _NUMBERS))
    total = Line(suite="together", database="")
    for line in [*sorted(_lines.values(), key=lambda one: (one.suite, one.database)), total]:
        numbers = [getattr(line, name) for name in _NUMBERS]
        terminalreporter.write_line(f"{line.suite:<34}{line.database:<10}" + "".join(f"{n:>11,}" for n in numbers))
        for name, number in zip(_NUMBERS, numbers, strict=True):
            setattr(total, name, getattr(total, name) + number)
    if unchecked := sum(line.unchecked for line in _lines.values()):
        told = "requests were checked against nothing: the official description of mail/send is not there"
        terminalreporter.write_line(f"{unchecked:,} {told}")


def _commit() -> str:
    folder = Path(__file__).parent
    asked = ["git", "describe", "--always", "--dirty"]
    said = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "no commit"

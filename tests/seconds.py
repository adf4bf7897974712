"""Prints the seconds of each suite at the end of a run, so that one that outgrows its share is seen."""

from collections import defaultdict

import pytest

_spent: dict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add set-up, call and tear-down to the folder, or the file, under tests/."""
    parts = report.nodeid.partition("::")[0].split("/")
    _spent["/".join(parts[1:2])] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The longest suites first; seconds of all workers together."""
    terminalreporter.section("seconds by suite")
    longest = sorted(_spent.items(), key=lambda item: -item[1])
    for name, seconds in longest[:20]:
        terminalreporter.write_line(f"{seconds:8.0f}  {name}")
    terminalreporter.write_line(f"{sum(seconds for _name, seconds in longest[20:]):8.0f}  the others")

"""Which tests count the lines they meet: counting takes longer than the test, and most meet none that is new."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.soak import SOAK

#: Suites whose tests meet the same lines again and again on their way to a question.
_NIGHTS = ("ask", "cli", "accidents")
#: Suites of which each test runs on one database only.
ON_ONE = ("ask", "scenarios", "web")
#: So many tests of a file one after the other that met nothing new; from then on only every so manieth counts.
_ENOUGH, _SAMPLE = 5, 3
#: So many of one file have met most of what it meets at all: the cases of a long table differ by a line.
_MOST = 40
#: With it in its environment, a child process counts its lines too.
_CHILDREN = "COVERAGE_PROCESS_CONFIG"

_in_vain: dict[Path, int] = defaultdict(int)
_begun: Counter[Path] = Counter()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave one counter in a worker of xdist, where there are three.

    One is begun with every child process, one by pytest-cov at the start and one by it for the worker. Whenever the
    last paused, the one beneath went on: each test was counted all the same, a third slower, for nobody to read.
    """
    counter = _counter(session)
    if counter is not None and hasattr(session.config, "workerinput"):
        ours = counter.cov._collector
        ours._collectors[:] = [ours]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the tests on both databases every eighth of a file counts, on one; of those that live nights, every fifth.

    Of those that ask the site all may: they are short, and what one door says no other one does.
    """
    if SOAK:
        return
    turns: dict[Path, dict[str, int]] = defaultdict(dict)
    for item in items:
        if isinstance(item, pytest.Function) and not _is_worth_it(item, turns[item.path]):
            item.add_marker(pytest.mark.no_cover)


def _is_worth_it(item: pytest.Function, turns: dict[str, int]) -> bool:
    database, suite = database_of(item), item.path.parent.name
    if suite == "faults":
        # Most of its work is done by processes that are killed, and those tell nobody what they counted.
        return False
    turn = turns.setdefault(item.originalname, len(turns)) if database or suite in _NIGHTS else 0
    if database is None:
        return turn % 5 == 0
    return suite == "web" or (turn % 8 == 0 and (database != "sqlite" or suite in ON_ONE))


@contextmanager
def uncounted_processes() -> Iterator[None]:
    """Processes begun inside count nothing: half as fast again, and a server of Prefect's runs no line of ours."""
    kept = os.environ.pop(_CHILDREN, None)
    try:
        yield
    finally:
        if kept is not None:
            os.environ[_CHILDREN] = kept


def database_of(item: pytest.Function) -> object:
    """The kind of database a test was told to run on, if it was."""
    call = getattr(item, "callspec", None)
    return call.params.get("database") if call else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test counts until those of its file meet nothing new; its processes count when it does."""
    counter = _counter(item)
    if counter is None:
        return (yield)
    if not _counts(item):
        item.add_marker(pytest.mark.no_cover)
    if item.get_closest_marker("no_cover"):
        with uncounted_processes():
            return (yield)
    before = _met(counter)
    try:
        return (yield)
    finally:
        _in_vain[item.path] = 0 if _met(counter) > before else _in_vain[item.path] + 1


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """The marker holds for the call alone: a world that is lived in a fixture is not counted either."""
    return (yield from _uncounted(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """As before the call."""
    return (yield from _uncounted(item))


def _uncounted(item: pytest.Item) -> Iterator[None]:
    counter = _counter(item)
    if counter is None or not item.get_closest_marker("no_cover"):
        return (yield)
    counter.pause()
    try:
        return (yield)
    finally:
        counter.resume()


def _counts(item: pytest.Item) -> bool:
    if item.get_closest_marker("no_cover"):
        return False
    _begun[item.path] += 1
    is_early = _in_vain[item.path] < _ENOUGH and _begun[item.path] <= _MOST
    return is_early or _begun[item.path] % _SAMPLE == 0


def _counter(item: pytest.Item | pytest.Session) -> Any:
    """What pytest-cov counts with, when it does."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    return plugin and plugin.cov_controller


def _met(counter: Any) -> int:
    """How many ways from line to line were met in this process so far."""
    return sum(map(len, counter.cov._collector.data.values()))

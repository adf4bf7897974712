"""Questions, pages and stories are tried on one database each here, in turn, and on both in a soak.

Phases, laws and deliveries are tried on both everywhere: it is there that the databases differ.
"""

from collections import defaultdict
from typing import Any
from zlib import crc32

import pytest

from tests.counted import ON_ONE, database_of
from tests.soak import SOAK


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out one of each two that differ by their database alone."""
    if SOAK:
        return
    twins: dict[tuple[Any, ...], list[pytest.Function]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and _may_be_left(item):
            twins[_same(item)].append(item)
    left = {pair[crc32(pair[0].name.encode()) % 2] for pair in twins.values() if len(pair) == 2}
    if left:
        config.hook.pytest_deselected(items=[*left])
        items[:] = [item for item in items if item not in left]


def _may_be_left(item: pytest.Function) -> bool:
    is_law = getattr(item.obj, "is_hypothesis_test", False)
    return item.path.parent.name in ON_ONE and not is_law and database_of(item) is not None


def _same(item: pytest.Function) -> tuple[Any, ...]:
    given = {name: value for name, value in item.callspec.params.items() if name != "database"}
    return item.path, item.originalname, repr(sorted(given.items(), key=lambda pair: pair[0]))

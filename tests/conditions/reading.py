"""Conditions of tests are written as marketers write them."""

from collections.abc import Sequence

from leadflow.conditions.parse import parse_condition
from leadflow.conditions.tree import Condition
from leadflow.errors import Fault, InputError
from leadflow.reading import read_yaml
from tests.conditions.world import VOCABULARY

LISTS = {"lists/firms.txt": ("acme", "École 42")}


def lines_of(path: str) -> Sequence[str]:
    """The lines of a list file of tests."""
    if path not in LISTS:
        raise InputError(f"{path} does not exist")
    return LISTS[path]


def faulty(text: str) -> tuple[Condition | None, list[Fault]]:
    """What was read of `text`, and every fault."""
    faults: list[Fault] = []
    node = read_yaml("segments/one.yaml", text, faults)
    assert node is not None
    return parse_condition(node, VOCABULARY, read_file=lines_of), faults


def condition(text: str) -> Condition:
    """The condition `text` says, which has no fault."""
    found, faults = faulty(text)
    assert faults == []
    assert found is not None
    return found

"""Step types: one file each, found by its name; that name is the key that marketers write."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from leadflow.reading import Node, did_you_mean
from leadflow.steps.base import END, Head, Step, Words
from leadflow.text import _
from leadflow.types import Place

__all__ = ["END", "Step", "StepType", "Words", "parse_step", "step_types"]


@dataclass(frozen=True, slots=True)
class StepType:
    """One file of this folder."""

    parse: Callable[[Node, Words, Head], Step | None]
    #: The keys it takes besides every step's, its own name first, each with the JSON Schema of its value.
    keys: Mapping[str, Any]


@cache
def step_types() -> Mapping[str, StepType]:
    """The step types by the key that marketers write."""
    names = [found.name for found in pkgutil.iter_modules(__path__) if found.name != "base"]
    modules: dict[str, Any] = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return {name: StepType(module.parse, module.KEYS) for name, module in modules.items()}


def parse_step(node: Node, words: Words) -> Step | None:
    """The step written at `node`; None, with faults, when its type cannot be told or its content is broken."""
    types = step_types()
    if not node.is_mapping:
        node.fault(_("expected a step such as {{name: wait-1, wait: 3 business_days}}").format())
        return None
    keys = node.keys()
    written = [key for key in keys if key in types]
    if len(written) != 1:
        known = ", ".join(types)
        strange = next((key for key in keys if key not in ("name", "was", "then")), "")
        node.fault(_("a step has exactly one of: {types}.").format(types=known) + did_you_mean(strange, types))
        return None
    kind = types[written[0]]
    node.only("name", "was", "then", *kind.keys)
    value = node.require(written[0])
    return kind.parse(node, words, _head(node, words)) if value else None


def _head(node: Node, words: Words) -> Head:
    then = node.part("then")
    place = Place(file=node.file, line=node.line, column=node.column)
    target = None if then.absent else END if then.raw == END else words.target(then)
    return Head(name=node.part("name").raw, was=node.part("was").text(), then=target, place=place)

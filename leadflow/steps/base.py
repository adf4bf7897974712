"""What every step of a sequence has, and what its file may refer to while it is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from leadflow.conditions.tree import Condition
from leadflow.reading import Node, did_you_mean
from leadflow.text import _
from leadflow.types import NOWHERE, Place

#: `then: end` finishes the sequence.
END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step is identified by its name, never by its index."""

    name: str
    #: The name it had before; carries keys and positions over.
    was: str | None = None
    #: `then: end` finishes the sequence after this step; else a step's name to go on with, else the next in the file.
    then: str | None = None
    place: Place = field(default=NOWHERE, compare=False)

    @property
    def targets(self) -> tuple[str, ...]:
        """The steps people may go on to from here by name, besides the next in the file."""
        return (self.then,) if self.then and self.then != END else ()

    @property
    def goes_on(self) -> bool:
        """Whether people may go on to the next step in the file."""
        return self.then is None


class Head(TypedDict):
    """What every step file passes on to its own dataclass."""

    name: str
    was: str | None
    then: str | None
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a step may name."""

    condition: Callable[[Node], Condition]
    emails: Sequence[str]
    stages: Sequence[str]
    #: Names of the sequence's steps that come after the one being read.
    later: Sequence[str]
    #: Names of all its steps.
    steps: Sequence[str]

    def target(self, node: Node) -> str:
        """The later step that `node` names; a fault when there is none, or it comes earlier."""
        name = node.text() or ""
        if name in self.steps and name not in self.later:
            node.fault(_('step "{step}" does not come later: a sequence only goes forward').format(step=name))
        elif name and name not in self.steps:
            node.fault(_('no step is called "{step}".').format(step=name) + did_you_mean(name, self.later))
        return name

"""What every step of a sequence has."""

from dataclasses import dataclass, field

from leadflow.conditions.tree import NOWHERE, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step is identified by its name, never by its index."""

    name: str
    #: The name it had before; carries keys and positions over.
    was: str | None = None
    #: `then: end` finishes the sequence after this step; else a step's name to go on with, else the next in the file.
    then: str | None = None
    place: Place = field(default=NOWHERE, compare=False)

"""What an answer is made of: headings with lines, and dates as people in the office read them."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from leadflow.conditions.evaluate import Person, View
from leadflow.conditions.prove import Proof, prove
from leadflow.conditions.tree import Condition
from leadflow.text import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and the lines under it."""

    title: str
    lines: tuple[str, ...]


def day(at: datetime, zone: tzinfo) -> str:
    """2026-03-24, office time."""
    return f"{at.astimezone(zone):%Y-%m-%d}"


def weekday(at: datetime) -> str:
    """Tue, in the language people read."""
    return (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))[at.weekday()]


def minute(at: datetime, zone: tzinfo) -> str:
    """2026-03-24 09:44, office time."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def proved(condition: Condition, person: Person, view: View) -> list[str]:
    """The proof of `condition` as indented lines, ✓ or ✗ each."""
    return list(_lines(prove(condition, person, view), 0))


def _lines(proof: Proof, depth: int) -> list[str]:
    inner = [line for child in proof.children for line in _lines(child, depth + 1)]
    return [f"{'  ' * depth}{'✓' if proof.holds else '✗'} {proof.text}", *inner]

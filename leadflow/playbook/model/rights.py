"""What people may decide about their own data, and for how long it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from leadflow.types import DAY

#: Language → text.
Localised = Mapping[str, str]


class Wish(StrEnum):
    """What somebody asks for that counts once they confirm it by the link in a mail."""

    #: A form with double opt-in.
    CONSENT = "consent"
    #: All that is held on them.
    COPY = "copy"
    ERASE = "erase"
    #: To stay, after years without an act of theirs.
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """People who did nothing for years are asked once whether to stay, then erased."""

    #: Microseconds since the last act of their own.
    after: int = 1095 * DAY
    #: Microseconds to answer in.
    answer_within: int = 30 * DAY
    #: People asked or erased a day.
    at_most: int = 200
    #: Microseconds for which what came from outside is kept as it came.
    raw: int = 365 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    #: The email that asks a reader to confirm each wish.
    emails: Mapping[Wish, str] = field(default_factory=dict)
    #: What readers may decline → its title by language.
    topics: Mapping[str, Localised] = field(default_factory=dict)
    #: None: nobody is erased for being silent.
    retention: Retention | None = None
    #: Whether links lead through our door, so that clicks are counted.
    tracks_links: bool = True
    #: Whether the last day on which an address opened a mail is kept, for nothing but to see where mail arrives.
    dates_opens: bool = False

    @property
    def watches(self) -> bool:
        """Whether there is something that a reader may not want counted."""
        return self.tracks_links or self.dates_opens

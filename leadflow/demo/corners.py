"""People for each rare corner of the grid of emails, in both languages: chance alone would leave some cells empty."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice, product

from leadflow.demo.companies import Company
from leadflow.demo.rows import EVE, FIRST, LAST, company, day, made

#: A decision within sixty days falls due in the demo's second week, a few people each day.
_FIRST_DEADLINE, _DEADLINES = 67, 5
#: Whoever works there joins the letter with the welcome, and leaves all the rest.
READERS = tuple(
    company(name, "public", 90, "FR", language, None)
    for name, language in (("Nolan Town Hall", "en"), ("Mairie de Colin", "fr"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Corner:
    """How many of a company are about to decide, compare, or have just met us."""

    house: Company
    deciding: int = 2
    comparing: int = 1
    learning: int = 0


def corners() -> Iterator[dict[str, str]]:
    """One row a person."""
    for language, found in (("en", _english()), ("fr", _french())):
        names = product(LAST[language], FIRST[language])
        deadlines = cycle(range(_FIRST_DEADLINE, _FIRST_DEADLINE + _DEADLINES))
        for corner in found:
            for last, first in islice(names, corner.deciding):
                soon = day(EVE + timedelta(days=next(deadlines)))
                decides = {"Job title": "CEO", "Role": "decides", "Budget": "15k_40k", "Deadline": soon}
                yield made(first, last, corner.house, **decides)
            for last, first in islice(names, corner.comparing):
                compares = {"Role": "decides", "Project": "redesign", "Budget": "5k_15k"}
                yield made(first, last, corner.house, **compares)
            for last, first in islice(names, corner.learning):
                yield made(first, last, corner.house)
    for readers in READERS:
        yield from (made(first, LAST[readers.language][0], readers) for first in FIRST[readers.language][:4])


def _english() -> tuple[_Corner, ...]:
    """Chance gives few English readers in France outside shops, and many at brands abroad."""
    return (
        _Corner(house=company("Nolan & Sons", "retail", 14, "FR", "en", "shopify"), comparing=4, learning=3),
        _Corner(house=company("Nolan Castings", "manufacturing", 80, "FR", "en", "other"), comparing=4, learning=7),
        _Corner(
            house=company("Nolan Advisory", "professional_services", 20, "FR", "en", None), comparing=3, learning=5
        ),
        _Corner(house=company("Nolan Trust", "public", 90, "FR", "en", None), comparing=5, learning=3),
        _Corner(house=company("Nolan Outfitters", "other", 30, "IE", "en", "other")),
    )


def _french() -> tuple[_Corner, ...]:
    """Whoever reads French at a brand abroad is rare."""
    return (
        _Corner(house=company("Boutique Colin", "retail", 14, "FR", "fr", "shopify")),
        _Corner(house=company("Fonderie Colin", "manufacturing", 80, "FR", "fr", "other")),
        _Corner(house=company("Étude Colin", "professional_services", 12, "FR", "fr", None), comparing=2),
        _Corner(house=company("Office Colin", "public", 90, "FR", "fr", None), comparing=3),
        _Corner(house=company("Larchwood Saddles", "other", 30, "IE", "fr", "other"), comparing=4, learning=7),
    )

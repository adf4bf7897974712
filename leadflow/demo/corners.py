"""People for each rare corner of the grid of emails, in both languages: chance alone would leave some cells empty."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice

from leadflow.demo.companies import Company
from leadflow.demo.rows import EVE, FIRST, LAST, company, day, made

#: A decision within sixty days falls due from the first Saturday on: whoever is due on a weekend waits for a window.
_FIRST_DEADLINE, _DEADLINES = 65, 6
#: Whoever works there joins the letter with the welcome, and leaves all the rest.
READERS = tuple(
    company(name, "public", 90, "FR", language, None)
    for name, language in (("Nolan Town Hall", "en"), ("Mairie de Colin", "fr"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Corner:
    """How many at these companies are about to decide, compare, or have just met us.

    Some leave, some ask for a call before their turn: fewer than four would now and then leave a mail unsent.
    """

    houses: tuple[Company, ...]
    deciding: int = 4
    comparing: int = 2
    learning: int = 0


def corners() -> Iterator[dict[str, str]]:
    """One row a person."""
    for language, found in (("en", _english()), ("fr", _french())):
        names = _names(language)
        deadlines = cycle(range(_FIRST_DEADLINE, _FIRST_DEADLINE + _DEADLINES))
        for corner in found:
            houses = cycle(corner.houses)
            for first, last in islice(names, corner.deciding):
                soon = day(EVE + timedelta(days=next(deadlines)))
                decides = {"Job title": "CEO", "Role": "decides", "Budget": "15k_40k", "Deadline": soon}
                yield made(first, last, next(houses), **decides)
            for first, last in islice(names, corner.comparing):
                compares = {"Role": "decides", "Project": "redesign", "Budget": "5k_15k"}
                yield made(first, last, next(houses), **compares)
            for first, last in islice(names, corner.learning):
                yield made(first, last, next(houses))
    for readers in READERS:
        yield from (made(first, last, readers) for first, last in islice(_names(readers.language), 6))


def _names(language: str) -> Iterator[tuple[str, str]]:
    """Every first name with every last name, neighbours having neither in common."""
    first, last = FIRST[language], LAST[language]
    for turn in range(len(last)):
        yield from ((name, last[(number + turn) % len(last)]) for number, name in enumerate(first))


def _houses(industry: str, country: str, language: str, cms: str | None, **employees: int) -> tuple[Company, ...]:
    """Companies by name, each with how many work there."""
    return tuple(
        company(name.replace("_", " "), industry, size, country, language, cms) for name, size in employees.items()
    )


def _english() -> tuple[_Corner, ...]:
    """Chance gives few English readers in France outside shops, and many at brands abroad."""
    shops = _houses("retail", "FR", "en", "shopify", Nolan_Toys=24, Byrne_Teas=32)
    makers = _houses("manufacturing", "FR", "en", "other", Nolan_Castings=80, Walsh_Pumps=140)
    firms = _houses("professional_services", "FR", "en", None, Nolan_Advisory=40, Clarke_Law=26)
    others = _houses("public", "FR", "en", None, Nolan_Trust=90, Murray_Institute=180)
    brands = _houses("other", "IE", "en", "other", Nolan_Outfitters=30)
    return (
        _Corner(houses=shops, comparing=7, learning=10),
        _Corner(houses=makers, deciding=5, comparing=7, learning=11),
        _Corner(houses=firms, deciding=5, comparing=6, learning=8),
        _Corner(houses=others, comparing=8, learning=13),
        _Corner(houses=brands, comparing=4),
    )


def _french() -> tuple[_Corner, ...]:
    """Whoever reads French at a brand abroad is rare."""
    shops = _houses("retail", "FR", "fr", "shopify", Boutique_Colin=24, Atelier_Roche=16)
    makers = _houses("manufacturing", "FR", "fr", "other", Fonderie_Colin=80)
    firms = _houses("professional_services", "FR", "fr", None, Étude_Colin=12)
    others = _houses("public", "FR", "fr", None, Office_Colin=90, Agence_Mercier=60)
    brands = _houses("other", "IE", "fr", "other", Larchwood_Saddles=30, Ashgrove_Candles=45)
    return (
        _Corner(houses=shops, comparing=6),
        _Corner(houses=makers, comparing=4),
        _Corner(houses=firms, comparing=3),
        _Corner(houses=others, comparing=5, learning=4),
        _Corner(houses=brands, comparing=6, learning=15),
    )

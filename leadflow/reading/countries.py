"""Countries as people name them, and the two letters of ISO 3166 that files and tables keep."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def countries() -> Mapping[str, str]:
    """English name in small letters → code in capitals."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {name.casefold(): code for code, name, *_rest in rows}


@cache
def country_codes() -> frozenset[str]:
    """The codes."""
    return frozenset(countries().values())

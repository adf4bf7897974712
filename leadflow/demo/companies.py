"""Invented companies under reserved domains, for the sample leads."""

import random
import re
import unicodedata
from dataclasses import dataclass

_MAKES = ("Vannes", "Pompes", "Ressorts", "Emballages", "Menuiseries", "Tôleries", "Moules", "Câbles", "Filtres")
_PLACES = ("de la Loire", "du Vimeu", "de l'Aa", "du Forez", "de Thiérache", "des Flandres", "du Layon", "de la Lys")
_SHOPS = ("Maison", "Atelier", "Comptoir", "Cabane", "Fabrique", "Petit Marché")
_WARES = ("Lin Bleu", "Osier", "Camomille", "du Vélo", "Papier Plume", "des Épices", "Laine Douce", "du Potager")
_FIRMS = ("Cabinet", "Étude", "Conseil", "Expertise")
_NAMES = ("Haddad & Fils", "Morvan", "Lesage", "Delattre", "Bonnet-Roy", "Carlier", "Vasseur", "Quentin")
_BRANDS = ("Kilbride Linen", "Alder & Finch", "Nordlys Outdoor", "Harrow Ceramics", "Tern Bicycles", "Oakmere Teas")
_MORE = ("Pinewood Toys", "Sable Audio", "Larkfield Soap", "Brackley Boots", "Fernhill Gardens", "Copperline Lamps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company the sample's people work for."""

    name: str
    domain: str
    industry: str
    #: None where nobody knows.
    employees: int | None
    country: str
    language: str
    cms: str | None


def domain_of(name: str) -> str:
    """A reserved domain that reads like `name`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    small = {"de", "la", "du", "des", "l", "et", "le"}
    words = [word for word in re.findall(r"[a-z0-9]+", plain) if word not in small]
    return "-".join(words) + ".example"


def companies(chance: random.Random) -> list[Company]:
    """About a hundred companies: manufacturers, shops, professional firms, foreign brands, others."""
    made = [_manufacturer(chance, f"{what} {where}") for what, where in _pairs(chance, _MAKES, _PLACES, 28)]
    made += [_shop(chance, f"{what} {ware}") for what, ware in _pairs(chance, _SHOPS, _WARES, 24)]
    made += [_firm(chance, f"{what} {name}") for what, name in _pairs(chance, _FIRMS, _NAMES, 20)]
    made += [_brand(chance, name) for name in (*_BRANDS, *_MORE)]
    made += [_other(chance, f"Mairie {place}") for place in _PLACES]
    return made


def _pairs(chance: random.Random, left: tuple[str, ...], right: tuple[str, ...], n: int) -> list[tuple[str, str]]:
    return chance.sample([(a, b) for a in left for b in right], n)


def _french(chance: random.Random) -> str:
    return chance.choices(("FR", "BE", "CH"), (88, 8, 4))[0]


def _manufacturer(chance: random.Random, name: str) -> Company:
    return Company(
        name=name,
        domain=domain_of(name),
        industry="manufacturing",
        employees=chance.choice((8, 24, 35, 48, 62, 80, 120, 240, 400)),
        country=_french(chance),
        language="en" if chance.random() < 0.25 else "fr",
        cms=chance.choice(("wordpress", "other", None)),
    )


def _shop(chance: random.Random, name: str) -> Company:
    return Company(
        name=name,
        domain=domain_of(name),
        industry="retail",
        employees=chance.choice((1, 2, 4, 11, 14, 18, 25, 40)),
        country=_french(chance),
        language="en" if chance.random() < 0.35 else "fr",
        cms=chance.choices(("prestashop", "shopify", "wordpress", None), (4, 4, 1, 1))[0],
    )


def _firm(chance: random.Random, name: str) -> Company:
    return Company(
        name=name,
        domain=domain_of(name),
        industry="professional_services",
        employees=chance.choice((3, 6, 12, 20, 45, None)),
        country=_french(chance),
        language="en" if chance.random() < 0.3 else "fr",
        cms=chance.choice(("wordpress", "none", None)),
    )


def _brand(chance: random.Random, name: str) -> Company:
    return Company(
        name=name,
        domain=domain_of(name),
        industry=chance.choice(("retail", "manufacturing", "other")),
        employees=chance.choice((9, 15, 30, 70, 160)),
        country=chance.choice(("IE", "GB", "NL", "US", "DE")),
        language="en",
        cms=chance.choice(("shopify", "other", None)),
    )


def _other(chance: random.Random, name: str) -> Company:
    return Company(
        name=name,
        domain=domain_of(name),
        industry=chance.choice(("public", "other")),
        employees=chance.choice((30, 90, 300)),
        country="FR",
        language="fr",
        cms="other",
    )

"""The sample leads: 300 invented people, the same for the same seed."""

import csv
import random
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO

from leadflow.demo.companies import Company, companies, domain_of

#: Headings of sample/leads.csv, as a marketer's export would have them.
COLUMNS = (
    "Email", "First name", "Last name", "Company", "Job title", "Role", "Industry", "Employees", "CMS", "Project",
    "Budget", "Deadline", "Country", "Language", "Origin", "Informed on", "Legal basis", "First contact", "Phone",
    "Do not mail",
)  # fmt: skip
#: Headings of sample/deals.csv.
DEAL_COLUMNS = ("email", "state", "amount", "owner")
#: Reports as spam what others would unsubscribe from.
COMPLAINS = "rose.martin@studio-ronchon.example"
#: The day before the demo's first night.
EVE = date(2026, 3, 2)
_FIRST = {
    "fr": ("Claire", "Luc", "Karim", "Sophie", "Julien", "Nadia", "Bruno", "Élise", "Mathieu", "Inaya", "Hugo", "Zoé",
           "Amélie", "Yann", "Fatou", "Olivier", "Manon", "Rémi", "Agathe", "Samir"),
    "en": ("Aoife", "Tom", "Grace", "Liam", "Niamh", "Oliver", "Hannah", "Ravi", "Esther", "Callum", "Maeve", "Priya"),
}  # fmt: skip
_LAST = {
    "fr": ("Morel", "Perrin", "Haddad", "Leroy", "Garnier", "Benali", "Fontaine", "Rousseau", "Lemaire", "Picard",
           "Renard", "Marchand", "Caron", "Dupuis", "Ndiaye", "Gauthier", "Barbier", "Roche", "Colin", "Mercier"),
    "en": ("Byrne", "Walsh", "Hughes", "Carter", "Doyle", "Price", "Nolan", "Shah", "Murray", "Bennett", "Clarke"),
}  # fmt: skip
_JOBS: dict[str, dict[str, tuple[str, ...]]] = {
    "decides": {"fr": ("gérante", "dirigeant", "directeur général", "fondatrice"), "en": ("CEO", "founder", "owner")},
    "recommends": {
        "fr": ("responsable communication", "responsable marketing", "chargé de projets digital"),
        "en": ("marketing manager", "head of digital", "communication lead"),
    },
    "uses": {"fr": ("assistant commercial", "acheteuse"), "en": ("sales assistant", "buyer")},
    "Select": {"fr": ("", "comptable"), "en": ("", "accountant")},
}
_ORIGINS = ("organic search", "trade fair", "social", "paid search", "unknown", "")
_PROJECTS = ("new_site", "redesign", "seo", "strategy")
_BUDGETS = ("under_5k", "5k_15k", "15k_40k", "over_40k", "unknown")


def sample_people(seed: int = 42, count: int = 300) -> list[dict[str, str]]:
    """`count` rows by column name."""
    chance = random.Random(seed)
    houses = companies(chance)
    rows = [*_particular(), *_blocked(chance)]
    taken = {row["Email"] for row in rows}
    while len(rows) < count:
        row = _person(chance, chance.choice(houses))
        if row["Email"] not in taken:
            taken.add(row["Email"])
            rows.append(row)
    return rows


def sample_csv(seed: int = 42) -> str:
    """sample/leads.csv as text."""
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sample_people(seed))
    return out.getvalue()


def sample_deals_csv() -> str:
    """sample/deals.csv as text: two deals that sales are talking about already."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(DEAL_COLUMNS)
    writer.writerows(
        (row["Email"], "open", amount, "Inès") for row, amount in zip(_in_talks(), (7_800, 14_500), strict=True)
    )
    return out.getvalue()


def _person(chance: random.Random, house: Company) -> dict[str, str]:
    first, last = chance.choice(_FIRST[house.language]), chance.choice(_LAST[house.language])
    role = chance.choices(tuple(_JOBS), (30, 35, 20, 15))[0]
    project = chance.choice(_PROJECTS) if chance.random() < 0.14 else ("none" if chance.random() < 0.3 else "Select")
    seen = EVE - timedelta(days=chance.randrange(1, 45))
    return {
        "Email": f"{domain_of(first)[:-8]}.{domain_of(last)[:-8]}@{house.domain}",
        "First name": "" if chance.random() < 0.08 else first,
        "Last name": last,
        "Company": house.name,
        "Job title": chance.choice(_JOBS[role][house.language]),
        "Role": role,
        "Industry": house.industry,
        "Employees": "" if house.employees is None else str(house.employees),
        "CMS": house.cms or "Select",
        "Project": project,
        "Budget": chance.choice(_BUDGETS) if project in _PROJECTS else "Select",
        "Deadline": _day(EVE + timedelta(days=chance.randrange(70, 200))) if chance.random() < 0.06 else "",
        "Country": house.country,
        "Language": house.language,
        "Origin": chance.choices(_ORIGINS, (37, 25, 16, 13, 7, 2))[0],
        "Informed on": _day(seen + timedelta(days=1)),
        "Legal basis": "legitimate_interest",
        "First contact": _day(seen),
        "Phone": "",
        "Do not mail": "",
    }


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _made(first: str, last: str, house: Company, **more: str) -> dict[str, str]:
    row = {
        "Email": f"{domain_of(first)[:-8]}.{domain_of(last)[:-8]}@{house.domain}",
        "First name": first,
        "Last name": last,
        "Company": house.name,
        "Job title": "",
        "Role": "Select",
        "Industry": house.industry,
        "Employees": "" if house.employees is None else str(house.employees),
        "CMS": house.cms or "Select",
        "Project": "Select",
        "Budget": "Select",
        "Deadline": "",
        "Country": house.country,
        "Language": house.language,
        "Origin": "organic search",
        "Informed on": _day(EVE - timedelta(days=18)),
        "Legal basis": "legitimate_interest",
        "First contact": _day(EVE - timedelta(days=19)),
        "Phone": "",
        "Do not mail": "",
    }
    return row | more


def _house(name: str, industry: str, employees: int | None, country: str, language: str, cms: str | None) -> Company:
    return Company(
        name=name,
        domain=domain_of(name),
        industry=industry,
        employees=employees,
        country=country,
        language=language,
        cms=cms,
    )


def _particular() -> Iterator[dict[str, str]]:
    """People the ending screen and the README name, and one for each rare corner of the grid."""
    valves = _house("Vannes de la Loire", "manufacturing", 62, "FR", "fr", "wordpress")
    firm = _house("Cabinet Haddad & Fils", "professional_services", 20, "FR", "fr", "wordpress")
    works = _house("Perrin TP", "other", 45, "FR", "fr", None)
    linen = _house("Kilbride Linen", "retail", 30, "IE", "en", "shopify")
    yield _made("Claire", "Morel", valves, **{"Job title": "responsable communication", "Role": "recommends"})
    yield _made("Aoife", "Byrne", linen, **{"Job title": "founder", "Role": "decides"})
    yield _made("Luc", "Perrin", works, **{"Job title": "dirigeant", "Role": "decides", "Origin": "trade fair"})
    karim = {"Job title": "gérant", "Role": "decides", "Project": "new_site", "Budget": "5k_15k"}
    yield _made("Karim", "Haddad", firm, **karim)
    yield from _corners()


def _corners() -> Iterator[dict[str, str]]:
    soon = _day(EVE + timedelta(days=80))
    near = _day(EVE + timedelta(days=65))
    for language, country, first, last in (("en", "IE", "Grace", "Nolan"), ("fr", "FR", "Agathe", "Colin")):
        shop = _house(
            f"{last} & Sons" if language == "en" else f"Boutique {last}", "retail", 14, country, language, "shopify"
        )
        public = _house(
            f"{last} Trust" if language == "en" else f"Office {last}", "public", 90, country, language, None
        )
        plant = _house(
            f"{last} Castings" if language == "en" else f"Fonderie {last}", "manufacturing", 80, "FR", language, "other"
        )
        decides = {"Job title": "CEO", "Role": "decides", "Budget": "15k_40k"}
        yield _made(first, last, shop, Deadline=near)
        yield _made(first, last, public, Deadline=near, Project="none")
        yield _made(first, last, plant, Deadline=near, **decides)
        yield _made("Sam", last, plant, Deadline=soon, Project="redesign")
        yield _made("Alex", last, shop, Project="seo", Budget="5k_15k")
        yield _made("Jo", last, public, Project="strategy")


def _blocked(chance: random.Random) -> Iterator[dict[str, str]]:
    """Six without legal basis, three on the never list, two students …: each a reason that must be seen."""
    for number in range(6):
        house = _house(f"Salon {number + 1}", "other", 12, "FR", "fr", None)
        yield _made(
            chance.choice(_FIRST["fr"]), "Martin", house, **{"Legal basis": "", "Informed on": "", "Origin": ""}
        )
    colleagues = _house("Atelier Nord", "professional_services", 14, "FR", "fr", "wordpress")
    for first in ("Camille", "Hélène", "Marc"):
        row = _made(first, "Dumont", colleagues)
        yield row | {"Email": row["Email"].replace(colleagues.domain, "atelier-nord.example")}
    for first in ("Léa", "Noah"):
        school = _house("École du Web", "other", None, "FR", "fr", None)
        yield _made(first, "Petit", school, **{"Job title": "étudiante" if first == "Léa" else "stagiaire"})
    for first in ("Anaïs", "Théo"):
        yield _made(first, "Discret", _house("Maison Discret", "retail", 9, "FR", "fr", None), **{"Do not mail": "yes"})
    yield _made("Rose", "Martin", _house("Studio Ronchon", "other", 8, "FR", "fr", None))
    yield from _in_talks()


def _in_talks() -> Iterator[dict[str, str]]:
    for name, first in (("Garage Dupont", "Lucie"), ("Menuiserie Vidal", "Paul")):
        yield _made(first, name.split()[1], _house(name, "other", 18, "FR", "fr", "wordpress"))

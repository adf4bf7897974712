"""The sample leads: 300 invented people, the same for the same seed."""

import csv
import random
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

from leadflow.demo.companies import Company, companies, domain_of
from leadflow.demo.corners import corners
from leadflow.demo.rows import COLUMNS, EVE, FIRST, LAST, company, day, made

#: Headings of sample/deals.csv.
DEAL_COLUMNS = ("email", "state", "amount", "owner")
#: Reports as spam what others would unsubscribe from.
COMPLAINS = "rose.martin@studio-ronchon.example"
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
    first, last = chance.choice(FIRST[house.language]), chance.choice(LAST[house.language])
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
        "Deadline": day(EVE + timedelta(days=chance.randrange(70, 200))) if chance.random() < 0.06 else "",
        "Country": house.country,
        "Language": house.language,
        "Origin": chance.choices(_ORIGINS, (37, 25, 16, 13, 7, 2))[0],
        "Informed on": day(seen + timedelta(days=1)),
        "Legal basis": "legitimate_interest",
        "First contact": day(seen),
        "Phone": "",
        "Do not mail": "",
    }


def _particular() -> Iterator[dict[str, str]]:
    """People the ending screen and the README name, and one for each rare corner of the grid."""
    valves = company("Vannes de la Loire", "manufacturing", 62, "FR", "fr", "wordpress")
    firm = company("Cabinet Haddad & Fils", "professional_services", 20, "FR", "fr", "wordpress")
    works = company("Perrin TP", "other", 45, "FR", "fr", None)
    linen = company("Kilbride Linen", "retail", 30, "IE", "en", "shopify")
    yield made("Claire", "Morel", valves, **{"Job title": "responsable communication", "Role": "recommends"})
    yield made("Aoife", "Byrne", linen, **{"Job title": "founder", "Role": "decides"})
    yield made("Luc", "Perrin", works, **{"Job title": "dirigeant", "Role": "decides", "Origin": "trade fair"})
    karim = {"Job title": "gérant", "Role": "decides", "Project": "new_site", "Budget": "5k_15k"}
    yield made("Karim", "Haddad", firm, **karim)
    yield from corners()


def _blocked(chance: random.Random) -> Iterator[dict[str, str]]:
    """Six without legal basis, three on the never list, two students …: each a reason that must be seen."""
    for number in range(6):
        house = company(f"Salon {number + 1}", "other", 12, "FR", "fr", None)
        yield made(chance.choice(FIRST["fr"]), "Martin", house, **{"Legal basis": "", "Informed on": "", "Origin": ""})
    colleagues = company("Atelier Nord", "professional_services", 14, "FR", "fr", "wordpress")
    for first in ("Camille", "Hélène", "Marc"):
        row = made(first, "Dumont", colleagues)
        yield row | {"Email": row["Email"].replace(colleagues.domain, "atelier-nord.example")}
    for first in ("Léa", "Noah"):
        school = company("École du Web", "other", None, "FR", "fr", None)
        yield made(first, "Petit", school, **{"Job title": "étudiante" if first == "Léa" else "stagiaire"})
    for first in ("Anaïs", "Théo"):
        yield made(first, "Discret", company("Maison Discret", "retail", 9, "FR", "fr", None), **{"Do not mail": "yes"})
    yield made("Rose", "Martin", company("Studio Ronchon", "other", 8, "FR", "fr", None))
    yield from _in_talks()


def _in_talks() -> Iterator[dict[str, str]]:
    for name, first in (("Garage Dupont", "Lucie"), ("Menuiserie Vidal", "Paul")):
        yield made(first, name.split()[1], company(name, "other", 18, "FR", "fr", "wordpress"))

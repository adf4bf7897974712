"""A row of the sample: a person as a marketer's export has them."""

from datetime import date, timedelta

from leadflow.demo.companies import Company, domain_of

#: Headings of sample/leads.csv, as a marketer's export would have them.
COLUMNS = (
    "Email", "First name", "Last name", "Company", "Job title", "Role", "Industry", "Employees", "CMS", "Project",
    "Budget", "Deadline", "Country", "Language", "Origin", "Informed on", "Legal basis", "First contact", "Phone",
    "Do not mail",
)  # fmt: skip
#: The day before the demo's first night.
EVE = date(2026, 3, 2)
FIRST = {
    "fr": ("Claire", "Luc", "Karim", "Sophie", "Julien", "Nadia", "Bruno", "Élise", "Mathieu", "Inaya", "Hugo", "Zoé",
           "Amélie", "Yann", "Fatou", "Olivier", "Manon", "Rémi", "Agathe", "Samir"),
    "en": ("Aoife", "Tom", "Grace", "Liam", "Niamh", "Oliver", "Hannah", "Ravi", "Esther", "Callum", "Maeve", "Priya"),
}  # fmt: skip
LAST = {
    "fr": ("Morel", "Perrin", "Haddad", "Leroy", "Garnier", "Benali", "Fontaine", "Rousseau", "Lemaire", "Picard",
           "Renard", "Marchand", "Caron", "Dupuis", "Ndiaye", "Gauthier", "Barbier", "Roche", "Colin", "Mercier"),
    "en": ("Byrne", "Walsh", "Hughes", "Carter", "Doyle", "Price", "Nolan", "Shah", "Murray", "Bennett", "Clarke"),
}  # fmt: skip


def day(of: date) -> str:
    """A date as the export writes it."""
    return f"{of:%d/%m/%Y}"


def made(first: str, last: str, house: Company, **more: str) -> dict[str, str]:
    """Somebody of `house` of whom nothing else is known but `more`."""
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
        "Informed on": day(EVE - timedelta(days=18)),
        "Legal basis": "legitimate_interest",
        "First contact": day(EVE - timedelta(days=19)),
        "Phone": "",
        "Do not mail": "",
    }
    return row | more


def company(name: str, industry: str, employees: int | None, country: str, language: str, cms: str | None) -> Company:
    """A company named outright."""
    return Company(
        name=name,
        domain=domain_of(name),
        industry=industry,
        employees=employees,
        country=country,
        language=language,
        cms=cms,
    )

"""How many people a mail would leave out, because they lack what it cannot do without."""

import pytest
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from leadflow.app.lacking import lacking_values
from leadflow.models import account, lead, lead_state
from leadflow.pipeline.catalogue import load_catalogue
from leadflow.types import Place
from tests.build import NIGHT, add_lead
from tests.pipeline.nurture_world import book, email

OFFER = email("offer", needs={"fr": frozenset({"company.name", "lead.employees"}), "en": frozenset()})


@pytest.fixture
def people(session: Session) -> Session:
    """Four French readers, of whom one has a company, and one who reads English."""
    session.execute(insert(account), {"id": 1, "key": "a", "name": "Acme", "created_at": NIGHT})
    for number in range(1, 6):
        add_lead(session, number, language="en" if number == 5 else "fr", attributes={"employees": 12})
    session.execute(update(lead).where(lead.c.id == 1).values(account_id=1))
    return session


def told(session: Session, *emails: object) -> list[str]:
    playbook = book(emails=[*emails])  # type: ignore[list-item]
    load_catalogue(session, playbook)
    return [fault.message.partition(": they")[0] for fault in lacking_values(session, playbook)]


def test_a_needed_value_says_how_many_of_the_audience_lack_it(people: Session) -> None:
    assert told(people, OFFER) == [
        "company.name has no default, and 75 % of the 4 people this mail is for lack it",
    ]


def test_people_whom_the_mail_is_not_for_do_not_count(people: Session) -> None:
    people.execute(update(lead_state).where(lead_state.c.lead_id != 1).values(lifecycle="customer"))

    assert told(people, OFFER) == []


BODY = "templates/emails/offer/body.fr.md"
SNIPPET = "templates/emails/_base/snippets/a.fr.md"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({BODY: b"Hi,\n\nfor {{ company.name }}"}, Place(file=BODY, line=3, column=8)),
        ({BODY: b'{% include "a" %}', SNIPPET: b"{{ company.name }}"}, Place(file=SNIPPET, line=1, column=4)),
    ],
)
def test_it_is_told_where_the_mail_needs_it(people: Session, files: dict[str, bytes], expected: Place) -> None:
    playbook = book(emails=[OFFER], files=files)
    load_catalogue(people, playbook)

    (fault,) = lacking_values(people, playbook)

    assert Place(file=fault.file, line=fault.line, column=fault.column) == expected

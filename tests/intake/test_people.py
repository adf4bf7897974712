"""People are written in bulk: one person an address, nothing lost that was not said, history of what changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from leadflow.intake.events import NewEvent, record_events
from leadflow.intake.fields import FieldError
from leadflow.intake.people import Change, Upserted, seed_of, upsert_people
from leadflow.intake.person import PersonReader
from leadflow.links import address_hash
from leadflow.models import (
    account,
    consent,
    event,
    event_inbox,
    identity,
    lead,
    lead_change,
    lead_score,
    lead_state,
    suppression,
)
from tests.build import NIGHT, playbook

BOOK = playbook()
READER = PersonReader(fields=BOOK.fields, zone=UTC)


def upsert(session: Session, *said: dict[str, str], at: datetime = NIGHT, **more: Any) -> list[Upserted]:
    people = [READER.read(one) for one in said]
    return upsert_people(session, BOOK, people, key="secret", now=at, source="import", **more)


def changes(done: list[Upserted]) -> list[Change]:
    return [one.change for one in done]


def test_a_new_person_has_an_address_a_seed_a_score_and_a_state(session: Session) -> None:
    (done,) = upsert(session, {"email": "Claire.Morel@Vannes-Loire.Example", "country": "fr", "employees": "62"})
    row = session.execute(select(lead)).one()
    assert (Change.CREATED, row.id) == (done.change, done.lead_id)
    assert (row.country, row.attributes, row.email_domain) == ("FR", {"employees": 62}, "vannes-loire.example")
    assert seed_of(row.id, "secret") == row.seed
    assert row.provenance == {"employees": {"source": "import", "on": "2026-03-23"}}
    own = session.execute(select(identity)).one()
    assert ("claire.morel@vannes-loire.example", row.address_id, row.id) == (own.value, own.id, own.lead_id)
    assert address_hash("secret", own.value) == own.hash
    assert session.scalar(select(func.count()).select_from(lead_score)) == 1
    assert (BOOK.journey.stages[0].name, "lead") == session.execute(
        select(lead_state.c.stage, lead_state.c.lifecycle)
    ).one()


def test_the_same_row_again_changes_nothing(session: Session) -> None:
    row = {"email": "a@b.example", "job_title": "Directrice générale", "company": "B"}
    upsert(session, row)
    before = session.execute(select(lead)).all()
    assert changes(upsert(session, row, at=NIGHT + timedelta(days=1))) == [Change.UNCHANGED]
    assert before == session.execute(select(lead)).all()
    assert session.execute(select(lead_change)).all() == []


def test_what_is_not_said_stays_and_what_changed_is_history(session: Session) -> None:
    upsert(session, {"email": "a@b.example", "first_name": "Ana", "employees": "10"})
    later = NIGHT + timedelta(days=1)
    assert changes(upsert(session, {"email": "A@b.example", "employees": "12"}, at=later)) == [Change.UPDATED]
    row = session.execute(select(lead)).one()
    assert ("Ana", {"employees": 12}, later) == (row.first_name, row.attributes, row.updated_at)
    (change,) = session.execute(select(lead_change)).all()
    assert ("employees", {"v": 10}, {"v": 12}, later) == (change.field, change.before, change.after, change.at)


def test_the_past_of_text_can_be_asked_for_as_text_is_compared(session: Session) -> None:
    upsert(session, {"email": "a@b.example", "job_title": "CEO"})
    upsert(session, {"email": "a@b.example", "job_title": "Chair"})
    assert session.scalar(select(lead_change.c.before)) == {"v": "CEO", "folded": "ceo", "words": " ceo "}


def test_the_same_person_twice_in_a_batch_is_one_lead(session: Session) -> None:
    done = upsert(session, {"email": "a@b.example", "first_name": "Ana"}, {"email": "A@B.example", "last_name": "Li"})
    assert done[0].lead_id == done[1].lead_id
    assert session.execute(select(lead.c.first_name, lead.c.last_name)).one() == ("Ana", "Li")


def test_a_null_word_clears_the_value_and_is_kept_apart_from_silence(session: Session) -> None:
    upsert(session, {"email": "a@b.example", "industry": "retail"})
    person = READER.read({"email": "a@b.example"}, {"industry": "Select"})
    (done,) = upsert_people(session, BOOK, [person], key="secret", now=NIGHT, source="import")
    assert done.change == Change.UPDATED
    row = session.execute(select(lead)).one()
    assert row.attributes == {}
    assert row.provenance["industry"] == {"source": "import", "on": "2026-03-23", "null": "Select"}


def test_text_is_folded_for_comparing(session: Session) -> None:
    upsert(session, {"email": "a@b.example", "job_title": "Directeur  GÉNÉRAL, adjoint"})
    assert session.scalar(select(lead.c.folded)) == {
        "job_title": "directeur général, adjoint",
        "job_title#words": " directeur général adjoint ",
    }


def test_colleagues_share_a_company_and_free_mailboxes_do_not(session: Session) -> None:
    rows = [
        {"email": "a@acme.example"},
        {"email": "b@acme.example", "company": "Acme"},
        {"email": "c@gmail.com"},
        {"email": "d@gmail.com", "company": "Dupont & Fils"},
        {"email": "e@yahoo.fr", "company": "DUPONT & FILS"},
    ]
    upsert(session, *rows)
    people = select(account.c.key, func.count()).join(lead).group_by(account.c.key)
    found = {row[0]: row[1] for row in session.execute(people)}
    assert found == {"acme.example": 2, "name:dupont & fils": 2}
    assert session.scalar(select(account.c.name).where(account.c.domain == "acme.example")) == "Acme"


def test_a_suppression_outlives_an_import(session: Session) -> None:
    row = {"address_hash": address_hash("secret", "a@b.example"), "reason": "unsubscribed", "at": NIGHT, "source": "x"}
    session.execute(insert(suppression), [row])
    upsert(session, {"email": "a@b.example", "basis": "consent"})
    assert session.scalar(select(func.count()).select_from(suppression)) == 1


def test_a_basis_is_only_ever_replaced_by_a_stronger_one(session: Session) -> None:
    defaults = {"basis": "legitimate_interest", "source": "fair", "informed_on": "2026-02-13"}
    upsert(session, {"email": "a@b.example"}, defaults=defaults)
    upsert(session, {"email": "a@b.example", "basis": "consent", "source": "other"})
    upsert(session, {"email": "a@b.example", "basis": "legitimate_interest"})
    assert session.execute(select(lead.c.basis, lead.c.source)).one() == ("consent", "fair")
    agreed = session.execute(select(consent)).one()
    assert (agreed.purpose, agreed.state, agreed.method) == ("nurture", "given", "import")


def test_somebody_found_by_id_gets_an_address_and_keeps_it(session: Session) -> None:
    upsert(session, {"external_id": "crm-1"})
    upsert(session, {"external_id": "crm-1", "email": "a@b.example"})
    upsert(session, {"external_id": "crm-1", "email": "other@b.example"})
    mailed = session.scalar(select(identity.c.value).join(lead, lead.c.address_id == identity.c.id))
    assert (mailed, session.scalar(select(func.count()).select_from(lead))) == ("a@b.example", 1)
    assert session.scalar(select(func.count()).select_from(identity)) == 3


def test_an_id_of_somebody_else_stays_theirs_and_is_noted(session: Session) -> None:
    upsert(session, {"email": "a@b.example", "external_id": "crm-1"}, {"email": "c@b.example"})
    (done,) = upsert(session, {"email": "c@b.example", "external_id": "crm-1"})
    assert (done.change, len(done.notes)) == (Change.UNCHANGED, 1)
    assert session.scalar(select(identity.c.lead_id).where(identity.c.value == "crm-1")) != done.lead_id


def test_the_acts_of_a_visitor_become_those_of_the_person(session: Session) -> None:
    session.execute(insert(identity), [{"id": 900, "kind": "visitor", "value": "v1", "hash": "h", "lead_id": None}])
    seen = NewEvent(source="web", external_id="1", kind="page_viewed", occurred_at=NIGHT, identity_id=900)
    record_events(session, [seen], received_at=NIGHT)
    (done,) = upsert(session, {"email": "a@b.example", "visitor": "v1"}, at=NIGHT + timedelta(hours=1))
    assert done.lead_id == session.scalar(select(event.c.lead_id))
    assert done.lead_id == session.scalar(select(event_inbox.c.lead_id))


def test_a_bad_telephone_is_noted_and_loses_no_lead(session: Session) -> None:
    first, second = upsert(
        session,
        {"email": "a@b.example", "phone": "04 77 00 00 00", "country": "FR"},
        {"email": "b@b.example", "phone": "call me"},
    )
    assert (first.notes, second.notes) == (
        (),
        ("phone: is no telephone number; write it as +33 …, or give the country",),
    )
    assert {"+33477000000", None} == set(session.scalars(select(lead.c.phone)))


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("employees", "12 or so", 'employees: "12 or so" is not a whole number'),
        ("score_hint", "1e5", 'score_hint: "1e5" is not a number'),
        ("newsletter", "perhaps", 'newsletter: "perhaps" is neither yes nor no'),
        ("industry", "farming", 'industry: "farming" is not a choice. One of: retail, manufacturing'),
        ("deadline", "31/12/2026", 'deadline: "31/12/2026" is not a date such as 2026-03-24; if days come first'),
        ("country", "Franse", 'country: "Franse" is not a country'),
        ("language", "français", 'language: "français" is not a language code'),
        ("zone", "Paris", 'zone: "Paris" is not a time zone'),
        ("basis", "yes", 'basis: "yes" is not a choice. One of: consent, legitimate_interest, customer'),
        ("email", "a@\nb.example", "email: the address has a line break in it"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_in_words(field: str, text: str, reason: str) -> None:
    with pytest.raises(FieldError) as refused:
        READER.read({field: text})
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("employees", "1 200", 1200),
        ("score_hint", "12,5", 12.5),
        ("newsletter", "oui", True),
        ("industry", "Professional services", "professional_services"),
        ("deadline", "2026-12-31 10:00:00", "2026-12-31"),
    ],
)
def test_values_are_read_as_people_write_them(field: str, text: str, value: object) -> None:
    assert {field: value} == READER.read({field: text}).attributes


def test_countries_are_read_by_code_and_name() -> None:
    assert [READER.read({"country": text}).columns["country"] for text in ("fr", "Germany")] == ["FR", "DE"]


def test_a_batch_of_a_thousand_takes_as_many_statements_as_one_of_ten(session: Session, statements: list[str]) -> None:
    upsert(session, *({"email": f"p{n}@c{n % 7}.example"} for n in range(10)))
    few = len(statements)
    upsert(session, *({"email": f"q{n}@c{n % 7}.example"} for n in range(1000)))
    assert few - 2 <= len(statements) - few <= few

"""The catalogue says what the playbook says, and is written only where it differs."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadflow.email.catalog import body_for
from leadflow.models import tpl, tpl_lang, tpl_segment
from leadflow.pipeline.catalogue import load_catalogue, needed_names
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, Purpose, Span, SpanKind
from tests.build import add_lead
from tests.pipeline.nurture_world import book, days, email

BRAND = ("fr", "en")


def test_an_email_becomes_a_row_of_numbers(session: Session) -> None:
    audience = {"stage": ("evaluation",), "fit": ("A", "B"), "engagement": ("4",), "segments": ("makers", "shops")}
    made = book(emails=[email("case", rank=70, again_after=9 * DAY, expires=days(3), **audience)])
    load_catalogue(session, made)
    row = session.execute(select(tpl).where(tpl.c.template == "case")).one()
    assert (row.stages, row.fits, row.engagements, row.has_segments) == (2, 3, 8, True)
    assert (row.rank, row.specificity, row.again_after) == (70, 4000 - 6, 9 * DAY)
    assert (row.expires_in, row.expires_days, row.counted, row.pickable) == (None, 3, True, True)
    segments = select(tpl_segment.c.segment).where(tpl_segment.c.template == "case").order_by(tpl_segment.c.segment)
    assert session.scalars(segments).all() == ["makers", "shops"]


def test_anybody_is_all_bits(session: Session) -> None:
    load_catalogue(session, book())
    row = session.execute(select(tpl).where(tpl.c.template == "guide")).one()
    assert (row.stages, row.fits, row.engagements, row.has_segments, row.specificity) == (7, 15, 15, False, 0)


def test_service_mail_is_not_counted(session: Session) -> None:
    elapsed = Span(kind=SpanKind.ELAPSED, amount=DAY)
    load_catalogue(session, book(emails=[email("receipt", purpose=Purpose.SERVICE, expires=elapsed)]))
    row = session.execute(select(tpl).where(tpl.c.template == "receipt")).one()
    assert (row.counted, row.pickable, row.expires_in) == (False, False, DAY)


@pytest.mark.parametrize(
    ("tag", "written_in", "expected"),
    [
        ("fr-be", ("fr", "en"), "fr"),
        ("fr-be", ("fr-BE", "fr"), "fr-BE"),
        ("fr-ca", ("fr-BE", "fr"), "fr"),
        ("en", ("fr",), None),
        ("de", ("fr", "en"), "fr"),
        ("de", ("de", "fr"), "de"),
        ("de", ("en",), None),
        ("", ("fr", "en"), "fr"),
    ],
)
def test_people_read_their_language_else_the_brands_first(
    tag: str, written_in: tuple[str, ...], expected: str | None
) -> None:
    assert body_for(email("x", written_in=written_in), tag, BRAND) == expected


@pytest.mark.parametrize(("tag", "expected"), [("en", "en"), ("en-gb", "en"), ("fr", None), ("de", None)])
def test_an_email_for_readers_of_a_language_is_for_no_others(tag: str, expected: str | None) -> None:
    assert body_for(email("x", languages=("en",)), tag, BRAND) == expected


def test_what_emails_need_are_bits_of_the_sorted_names(session: Session) -> None:
    needs = {"fr": frozenset({"lead.first_name", "company.name"}), "en": frozenset({"lead.first_name"})}
    made = book(emails=[email("needy", needs=needs)])
    assert needed_names(made) == ("company.name", "lead.first_name")
    load_catalogue(session, made)
    rows = session.execute(select(tpl_lang).where(tpl_lang.c.template == "needy").order_by(tpl_lang.c.for_lang))
    assert [(row.for_lang, row.lang, row.needs) for row in rows] == [("", "fr", 3), ("en", "en", 2), ("fr", "fr", 3)]


def test_a_changed_playbook_changes_only_the_rows_that_differ(session: Session) -> None:
    load_catalogue(session, book())
    session.execute(update(tpl).where(tpl.c.template == "guide").values(rank=1))
    load_catalogue(session, book())
    assert session.scalar(select(tpl.c.rank).where(tpl.c.template == "guide")) == 50
    load_catalogue(session, _without_guide())
    assert session.scalars(select(tpl.c.template).order_by(tpl.c.template)).all() == ["other", "welcome"]


def _without_guide() -> Playbook:
    return book(emails=[email("other")])


def test_a_new_language_among_the_people_gets_its_rows(session: Session) -> None:
    load_catalogue(session, book())
    add_lead(session, 1, language="fr-ca")
    load_catalogue(session, book())
    assert session.scalar(select(tpl_lang.c.lang).where(tpl_lang.c.for_lang == "fr-ca").limit(1)) == "fr"

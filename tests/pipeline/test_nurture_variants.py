"""A message carries its variant from planning on: drawn in the statement, drawn again when the email is edited."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.email.catalog import Email, Variant
from leadflow.email.variants import variant_for
from leadflow.esp.memory import MemoryProvider
from leadflow.models import lead, message
from tests.pipeline.mails import add_message, deliver, mail_playbook, row
from tests.pipeline.mails import email as mail_of
from tests.pipeline.nurture_world import WELCOME, World, book, email, sequence

PEOPLE = range(1, 9)


def varied(*shares: tuple[str, int], version: str = "1") -> Email:
    drawn = [Variant(name=name, share=share, subject={"fr": name, "en": name}) for name, share in shares]
    return email("welcome", pick="named", variants=tuple(drawn), version=version)


def world_of(session: Session, mail: Email) -> World:
    return World(session, with_email(book(sequence(steps=[WELCOME])), mail))


def with_email(playbook: Any, mail: Email) -> Any:
    return replace(playbook, emails={**playbook.emails, mail.name: mail})


def planned(session: Session) -> dict[int, str | None]:
    return {row.lead_id: row.variant for row in session.execute(select(message.c.lead_id, message.c.variant))}


def expected(session: Session, mail: Email) -> dict[int, str | None]:
    rows = session.execute(select(lead.c.id, lead.c.seed))
    return {row.id: variant_for(mail, row.seed) or None for row in rows}


def test_each_gets_theirs_and_a_second_sweep_changes_nothing(session: Session) -> None:
    world = world_of(session, mail := varied(("short", 50), ("long", 20)))
    for one in PEOPLE:
        world.lead(one)
    world.sweep()
    found = planned(session)
    assert found == expected(session, mail)
    assert len(set(found.values())) > 1
    world.sweep()
    assert planned(session) == found


def test_an_edited_email_is_drawn_again_with_its_new_text(session: Session) -> None:
    world = world_of(session, varied(("short", 100)))
    for one in PEOPLE:
        world.lead(one)
    world.sweep()
    assert set(planned(session).values()) == {"short"}
    for mail in (varied(("other", 50), version="2"), varied(version="3")):
        world.playbook = with_email(world.playbook, mail)
        world.now = world.now.replace(minute=world.now.minute + 1)
        world.sweep()
        assert planned(session) == expected(session, mail)


def test_each_is_sent_the_text_of_theirs_and_what_is_gone_is_the_original(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    short = Variant(name="short", share=50, subject={"en": "Short"}, bodies={"en": "In short."}, kinds={"en": "md"})
    book = mail_playbook(mail_of(variants=(short,)))
    for one, variant in enumerate((None, "short", "gone"), start=1):
        add_message(session, one, variant=variant)
    session.commit()
    deliver(engine, memory, playbook=book)
    texts = {sent.message_id: (sent.subject, sent.text.splitlines()[0]) for sent in memory.sent}
    assert texts == {1: ("Hello", "Hello,"), 2: ("Short", "In short."), 3: ("Hello", "Hello,")}
    assert [row(engine, one).variant for one in (1, 2, 3)] == [None, "short", None]

"""What readers chose is kept by planning and asked again at the intent: rhythm, pause, topics, tracking."""

from datetime import timedelta

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from leadflow.esp.memory import MemoryProvider
from leadflow.models import declined, preference, tpl
from leadflow.pipeline.catalogue import load_catalogue
from leadflow.playbook.model import Rights
from leadflow.types import DAY
from tests.build import NIGHT
from tests.pipeline.mails import add_message, deliver, mail_playbook, row
from tests.pipeline.mails import email as mail
from tests.pipeline.nurture_world import LEARN, World, book, email, sequence
from tests.pipeline.test_nurture_arbiter import _sent


def chose(session: Session, identity_id: int = 1, **columns: object) -> None:
    session.execute(insert(preference), {"identity_id": identity_id, "updated_at": NIGHT} | columns)


def declines(session: Session, topic: str, identity_id: int = 1) -> None:
    session.execute(insert(declined), {"identity_id": identity_id, "topic": topic, "at": NIGHT})


def test_who_wants_a_mail_a_month_waits_a_month(session: Session) -> None:
    world = World(session, book(sequence(steps=[LEARN])))
    for person in (1, 2):
        world.lead(person)
        _sent(session, NIGHT - timedelta(days=10), lead_id=person)
    chose(session, gap=30 * DAY)

    world.sweep()
    assert [world.verdict(1), world.verdict(2)] == ["pressure", None]
    assert world.emails(2)[1:] == [("guide", "planned")]


def test_a_pause_holds_the_step_and_lets_it_go_when_it_is_over(session: Session) -> None:
    world = World(session, book(sequence(steps=[LEARN])))
    world.lead()
    chose(session, paused_until=NIGHT + timedelta(days=30))

    world.sweep()
    assert (world.verdict(), world.emails()) == ("preference", [])
    world.night(31)
    assert (world.verdict(), world.emails()) == (None, [("guide", "planned")])


def test_a_declined_topic_is_not_chosen_and_another_is(session: Session) -> None:
    emails = (email("about-shops", topic="shops", rank=90), email("guide"))
    world = World(session, book(sequence(steps=[LEARN]), emails=emails))
    for person in (1, 2):
        world.lead(person)
    declines(session, "shops")

    world.sweep()
    assert (world.emails(1), world.emails(2)) == ([("guide", "planned")], [("about-shops", "planned")])


def test_what_is_chosen_after_planning_is_heard_at_the_intent(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    playbook = mail_playbook(mail(topic="shops"), mail("news"))
    load_catalogue(session, playbook)
    for message_id, name in ((1, "hello"), (2, "hello"), (3, "news"), (4, "news")):
        add_message(session, message_id, email=name)
    for reader in (1, 3):
        declines(session, "shops", reader)
    chose(session, 4, paused_until=NIGHT + timedelta(days=1))
    session.commit()

    deliver(engine, memory, playbook=playbook)
    found = [(row(engine, n).state, row(engine, n).reason) for n in (1, 2, 3, 4)]
    assert found == [("suppressed", "preference"), ("accepted", None), ("accepted", None), ("suppressed", "preference")]


def test_a_service_mail_knows_no_pause_and_no_topic(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    playbook = mail_playbook(mail(topic="shops"))
    load_catalogue(session, playbook)
    session.execute(update(tpl).values(purpose="service"))
    add_message(session, 1, purpose="service", counted=False)
    declines(session, "shops")
    chose(session, paused_until=NIGHT + timedelta(days=1))
    session.commit()

    deliver(engine, memory, playbook=playbook)
    assert row(engine, 1).state == "accepted"


def test_without_tracking_links_lead_straight_to_the_page(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1)
    session.commit()

    deliver(engine, memory, playbook=mail_playbook(rights=Rights(tracks_links=False)))
    assert "https://a.example/pricing" in memory.sent[0].text
    assert "/c/" not in memory.sent[0].html


def test_every_mail_leads_to_the_page_of_preferences(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    add_message(session, 1)
    session.commit()

    deliver(engine, memory, playbook=mail_playbook(mail(body="[Choose]({{ links.preferences }})")))
    assert "https://mail.a.example/preferences/1." in memory.sent[0].text
    assert session.scalar(select(preference.c.identity_id)) is None

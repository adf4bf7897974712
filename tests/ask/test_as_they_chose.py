"""`why` tells what a reader chose, where that is what keeps a mail back."""

from datetime import timedelta

from sqlalchemy import insert, select

from leadflow.app import why
from leadflow.models import lead, preference
from leadflow.testing import open_world
from leadflow.types import DAY
from tests.build import NIGHT
from tests.pipeline.mails import BASE
from tests.pipeline.nurture_world import LEARN, WELCOME, book, sequence


def test_a_rhythm_of_their_own_is_named_with_the_mail_that_fills_it(sqlite_url: str) -> None:
    from leadflow.db import make_engine

    playbook = book(sequence(steps=[WELCOME, LEARN]), base=BASE)
    world = open_world(make_engine(sqlite_url), playbook, NIGHT - timedelta(hours=1))
    world.arrive("lea", {"language": "fr"})
    with world.app.engine.begin() as connection:
        reader = connection.scalar(select(lead.c.address_id))
        connection.execute(insert(preference), {"identity_id": reader, "gap": 30 * DAY, "updated_at": NIGHT})
    world.live_until(NIGHT)
    world.live_until(NIGHT + timedelta(days=1))

    assert [mail.email for mail in world.sent] == ["welcome"]
    told = why(world.app, world.address("lea"), None, now=world.now).next_section.lines
    assert "they want at most one in 30 days" in "\n".join(told)

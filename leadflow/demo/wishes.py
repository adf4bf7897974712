"""Readers ask for what counts once they confirm it by mail: a letter, a copy, to be forgotten, to stay."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.intake.confirming import Asked, ask_to_confirm
from leadflow.models import identity, lead, suppression
from leadflow.playbook.model import Wish


def ask_wishes(app: App, at: datetime) -> None:
    """One reader of each language for each wish; nobody clicks the link before the story ends."""
    with Session(app.engine) as session, session.begin():
        for language in app.playbook.brand.languages:
            for wish, (lead_id, identity_id) in zip(Wish, _readers(session, language), strict=False):
                ask_to_confirm(session, app.playbook, [Asked(lead_id=lead_id, identity_id=identity_id, at=at)], wish)


def _readers(session: Session, language: str) -> list[tuple[int, int]]:
    """The last to come of those whose address is good, with it."""
    out = select(suppression.c.address_hash)
    good = select(lead.c.id, identity.c.id).join(identity, identity.c.id == lead.c.address_id)
    mine = good.where(lead.c.language == language, ~lead.c.no_mail, identity.c.hash.not_in(out))
    return [(row[0], row[1]) for row in session.execute(mine.order_by(lead.c.id.desc()).limit(len(Wish)))]

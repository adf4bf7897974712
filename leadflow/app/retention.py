"""The rule of the silent years: people who did nothing for so long are asked once whether to stay, then erased."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from leadflow.app.person import erase
from leadflow.app.workspace import App
from leadflow.errors import UsageError
from leadflow.intake.confirming import Asked, ask_to_confirm
from leadflow.intake.silent import count_old_posts, drop_old_posts, find_silent
from leadflow.playbook.model import Retention, Wish
from leadflow.text import _


def apply_retention(app: App, now: datetime, *, dry_run: bool = False) -> Mapping[str, int]:
    """Ask, erase, and drop old posts as `retention` in leadflow.yaml says; `asked`, `erased` and `posts`, as counts.

    UsageError where the playbook has no such section.
    """
    rule = _rule(app)
    with Session(app.engine) as session, session.begin():
        silent = find_silent(session, rule, now)
        if dry_run:
            posts = count_old_posts(session, rule, now)
            return {"asked": len(silent.ask), "erased": len(silent.erase), "posts": posts}
        people = [Asked(lead_id=lead_id, identity_id=address, at=now) for lead_id, address in silent.ask]
        asked = ask_to_confirm(session, app.playbook, people, Wish.KEEP, lasts=rule.answer_within)
        posts = drop_old_posts(session, rule, now)
    if silent.erase:
        # Silence is no objection: whoever comes back one day may be written to again.
        erase(app, silent.erase, now, objects=False)
    return {"asked": asked, "erased": len(silent.erase), "posts": posts}


def _rule(app: App) -> Retention:
    rule = app.playbook.rights.retention
    if rule is None:
        raise UsageError(_("config/leadflow.yaml has no retention: write retention: {after: 1095 days}"))
    return rule

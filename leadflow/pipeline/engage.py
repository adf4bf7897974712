"""Turns what providers and link visits told us into delivery news, suppressions and clicks that count."""

from datetime import datetime

from sqlalchemy.orm import Session

from leadflow.pipeline.engage_clicks import take_clicks
from leadflow.pipeline.engage_news import take_news
from leadflow.pipeline.engage_replies import stop_answered
from leadflow.playbook.model import Playbook
from leadflow.types import Everyone, Outcome, Phase, Scope


def engage_leads(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> Outcome:
    """Everything told before `now`.

    A POST of a provider speaks of many people at once, so the sweep of a few leads leaves it to the next full one and
    takes their clicks alone. What must not wait, an unsubscribe or a complaint, was heard in the request.
    """
    news = take_news(session, now) if isinstance(scope, Everyone) else {}
    clicks = take_clicks(session, now, scope)
    stopped = stop_answered(session, playbook, now, scope)
    return Outcome(
        phase=Phase.ENGAGE,
        read=news.get("posts", 0) + clicks.get("visits", 0),
        changed=news.get("recorded", 0) + clicks.get("recorded", 0),
        counts={**{name: n for name, n in news.items() if name != "recorded"}, **clicks, "stopped": stopped},
    )

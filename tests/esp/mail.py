"""A mail to send in tests, and the sending."""

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from leadflow.ports import EmailProvider, Outgoing


def a_mail(**changes: Any) -> Outgoing:
    """A complete mail to Zoé; `changes` replace fields."""
    plain: dict[str, Any] = {
        "attempt_id": "t0-7",
        "message_id": 7,
        "to": "zoe@x.example",
        "to_name": "Zoé Petit",
        "from_address": "camille@a.example",
        "from_name": "Camille d'Atelier",
        "reply_to": "bonjour@a.example",
        "subject": "Bonjour Zoé",
        "html": "<p>Élan</p>",
        "text": ".Élan\n",
        "unsubscribe_url": "https://mail.a.example/u/token",
        "language": "fr",
        "email": "hello",
        "send_at": datetime(2026, 3, 23, 9, 5, tzinfo=ZoneInfo("Europe/Paris")),
        "arguments": {"lf_message": "7", "lf_attempt": "t0-7"},
    }
    return Outgoing(**plain | changes)


def send(provider: EmailProvider, *mails: Outgoing) -> list[str]:
    """What `provider` says to each of `mails` (to one, unless given), one after the other; its lines are closed."""

    async def all_of_them() -> list[str]:
        try:
            return [await provider.send(mail) for mail in mails or (a_mail(),)]
        finally:
            await provider.close()

    return asyncio.run(all_of_them())

"""What all workers share of the pace: tokens, a provider that is left in peace, the first mails of a night."""

from datetime import datetime

from sqlmodel import SQLModel

from leadflow.db import Instant, Word
from leadflow.models.columns import instant, part_of_key, prose, table_of, whole, word


class Bucket(SQLModel, table=True):
    """How many tokens are missing from a bucket; how many it holds and how fast it fills stands in the playbook."""

    #: `sendgrid`, `to gmail.com`, `day 2026-11-23`.
    name: str = part_of_key(Word)
    #: Millionths of a token.
    spent: int = whole(default=0)
    #: On the database's clock.
    filled_at: datetime = instant()
    #: What the last to ask was given: the answer of the statement that takes.
    taken: int = whole(default=0)


class Breaker(SQLModel, table=True):
    """A provider's answers in a row that any mail would have got; open, nothing is sent but one probe."""

    provider: str = part_of_key(Word)
    failures: int = whole(default=0, big=False)
    #: On the database's clock, as all here; NULL while mail goes.
    opened_at: datetime | None = instant(required=False)
    #: When the provider may be asked again.
    ask_at: datetime | None = instant(required=False)
    #: Who may send one mail to see, and until when nobody else may.
    probe: str | None = word(required=False)
    probe_until: datetime | None = instant(required=False)
    #: The last answer; no words of a person's.
    note: str | None = prose()


class Canary(SQLModel, table=True):
    """A night whose first mails leave alone."""

    #: The sweep's instant; its mails have it as planned_at.
    at: datetime = part_of_key(Instant)
    #: How many go first.
    size: int = whole()
    #: When what was heard of them is looked at; NULL while they leave.
    listens_until: datetime | None = instant(required=False)
    #: passed or failed; NULL while nobody knows.
    verdict: str | None = word(required=False)


bucket = table_of(Bucket)
breaker = table_of(Breaker)
canary = table_of(Canary)

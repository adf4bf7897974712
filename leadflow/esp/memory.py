"""`esp: memory` keeps mails in a list, for tests and for plans that send nothing; it can be told to fail."""

from collections.abc import Callable

from leadflow.email.mime import refuse_bad_addresses
from leadflow.ports import Outgoing
from leadflow.settings import Settings


class MemoryProvider:
    """Accepts everything, unless `answer` raises for a mail."""

    name = "memory"
    in_flight = 1

    def __init__(self, answer: Callable[[Outgoing], None] | None = None) -> None:
        self.sent: list[Outgoing] = []
        #: Called with each mail before it is kept; what it raises is the provider's answer.
        self.answer = answer

    async def send(self, mail: Outgoing) -> str:
        """Keeps `mail`, once an attempt."""
        refuse_bad_addresses(mail)
        mail.refuse_when_stale()
        if self.answer is not None:
            self.answer(mail)
        if all(kept.attempt_id != mail.attempt_id for kept in self.sent):
            self.sent.append(mail)
        return f"memory-{mail.attempt_id}"

    async def close(self) -> None:
        """Nothing is kept open."""


def open(settings: Settings) -> MemoryProvider:  # noqa: ARG001 - every adapter opens alike
    """An adapter with an empty list."""
    return MemoryProvider()

"""What an answer of the provider means for its message: accepted, failed, planned again, or unknown."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from leadflow.errors import BuildError, OutageError, RefusedError, RetryableError, StaleError, UnsupportedFeatureError
from leadflow.types import MINUTE, SECOND, MessageState, Reason, micros

#: A refusal that may pass is tried this often.
MAX_ATTEMPTS = 5
#: The longest wait before the second attempt; each further one may be twice as long.
_FIRST_BACKOFF = 10 * MINUTE
_SHORTEST = 30 * SECOND

#: A number from 0 to 1.
Chance = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one attempt: the values its row gets."""

    id: int
    attempt_id: str
    state: MessageState
    reason: Reason | None = None
    provider_id: str | None = None
    #: When to try again, for a message that is planned again.
    send_at: int
    note: str | None = None
    #: The attempt was none of the message's own: it is not counted.
    is_free: bool = False


class Answers:
    """Reads answers as of `now`."""

    def __init__(self, now: datetime, chance: Chance | None = None) -> None:
        self._now = micros(now)
        self._chance = chance or random.random

    def accepted(self, row: Row[Any], theirs: str) -> Result:
        """It was taken."""
        return _result(row, MessageState.ACCEPTED, provider_id=theirs)

    def unknown(self, row: Row[Any], note: str | None = None) -> Result:
        """Nobody can tell whether it left."""
        return _result(row, MessageState.UNKNOWN, reason=Reason.UNKNOWN_OUTCOME, note=note)

    def not_begun(self, row: Row[Any], note: str | None = None) -> Result:
        """It was never handed over, through no fault of its own: it is planned as it was."""
        return _result(row, MessageState.PLANNED, note=note, is_free=True)

    def of_error(self, row: Row[Any], error: Exception) -> Result:
        """What the provider's adapter raised."""
        match error:
            case OutageError() | StaleError():
                return self.not_begun(row, str(error))
            case RetryableError():
                return self._later(row, error)
            case BuildError():
                return _result(row, MessageState.FAILED, reason=Reason.RENDER_FAILED, note=str(error))
            case RefusedError() | UnsupportedFeatureError():
                return _result(row, MessageState.FAILED, reason=Reason.REFUSED, note=str(error))
            case _:
                return self.unknown(row, type(error).__name__)

    def _later(self, row: Row[Any], error: RetryableError) -> Result:
        if row.attempts >= MAX_ATTEMPTS:
            return _result(row, MessageState.FAILED, reason=Reason.REFUSED, note=str(error))
        # Full jitter: what failed together must not come back together.
        backoff = max(_SHORTEST, int(self._chance() * _FIRST_BACKOFF * 2 ** (row.attempts - 1)))
        asked = int((error.retry_after or 0) * SECOND)
        return _result(row, MessageState.PLANNED, send_at=self._now + max(backoff, asked), note=str(error))


def _result(row: Row[Any], state: MessageState, **values: Any) -> Result:
    given = {"send_at": micros(row.send_at)} | values
    return Result(id=row.id, attempt_id=row.attempt_id, state=state, **given)

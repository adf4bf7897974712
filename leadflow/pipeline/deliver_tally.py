"""What a run has done so far, in counts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from leadflow.pipeline.deliver_answers import Result
from leadflow.pipeline.deliver_writer import Unsent
from leadflow.types import MessageState, Outcome, Phase, Reason


class Tally:
    """Counts by word, and by reason for what did not leave; kept by one thread at a time."""

    def __init__(self) -> None:
        self.read = 0
        #: Messages that ended, of which nobody was told yet.
        self.ended = 0
        self._counts: Counter[str] = Counter()
        self._skipped: Counter[Reason] = Counter()

    def add(self, word: str, n: int) -> None:
        """Something else happened `n` times."""
        self._counts[word] += n

    def suppressed(self, rows: Sequence[Row[Any]]) -> None:
        """Messages we chose not to send."""
        self.add(MessageState.SUPPRESSED, len(rows))
        self._skipped.update(Reason(row.reason) for row in rows)

    def put_off(self, n: int) -> None:
        """Messages whose window has shut."""
        if n:
            self._skipped[Reason.WINDOW] += n

    def unsent(self, failed: Sequence[Unsent]) -> None:
        """Messages that could not be written."""
        self.add(MessageState.FAILED, len(failed))
        self._skipped.update(one.reason for one in failed)

    def recorded(self, results: Iterable[Result]) -> None:
        """Answers that are written down."""
        for result in results:
            again = result.state == MessageState.PLANNED
            self.add("retried" if again else result.state, 1)
            if result.reason is not None:
                self._skipped[result.reason] += 1
            self.ended += 1

    def said(self) -> dict[str, int]:
        """All counts as one list of words, for a process that does a part."""
        skipped = {f"skipped {reason}": n for reason, n in self._skipped.items()}
        return {"read": self.read, "ended": self.ended, **self._counts, **skipped}

    def heard(self, said: Mapping[str, int]) -> None:
        """What another process has done besides."""
        for word, n in said.items():
            if word == "read":
                self.read += n
            elif word == "ended":
                self.ended += n
            elif word.startswith("skipped "):
                self._skipped[Reason(word.removeprefix("skipped "))] += n
            else:
                self._counts[word] += n

    def outcome(self) -> Outcome:
        """All of it."""
        accepted = self._counts[MessageState.ACCEPTED]
        counts, skipped = dict(self._counts), dict(self._skipped)
        return Outcome(phase=Phase.DELIVER, read=self.read, changed=accepted, counts=counts, skipped=skipped)

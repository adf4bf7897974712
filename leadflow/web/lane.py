"""The fast lane of the door: one thread that answers urgent acts, however many come at once."""

import logging
import threading
from collections.abc import Iterable
from datetime import UTC, datetime

from leadflow.app import App, refresh, sweep_raised, urgent_acts
from leadflow.errors import LeadflowError, LockedError
from leadflow.types import Phase

logger = logging.getLogger("leadflow.web")

#: Seconds to leave the sweep lock to others, who ask for it five times a second.
_REST = 0.5


class Lane:
    """Acts that come while it works are answered together in its next turn.

    A task a request would hold a thread of the door each, all of them waiting for one lock.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._urgent: tuple[str, frozenset[str]] = ("", frozenset())
        self._asked, self._closing = threading.Event(), threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def heed(self, kinds: Iterable[str | None]) -> None:
        """Answer at once if one of these acts, stored by now, is urgent."""
        playbook = self._app.playbook
        if self._urgent[0] != playbook.version:
            self._urgent = (playbook.version, urgent_acts(playbook))
        if not self._urgent[1].isdisjoint(kinds):
            self.wake()

    def wake(self) -> None:
        """Look now whether somebody is to be handed over."""
        self._asked.set()
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fast-lane", daemon=True)
                self._thread.start()

    def close(self, timeout: float = 10.0) -> None:
        """End with the turn in hand; upkeep does within minutes what is left."""
        self._closing.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._asked.wait()
            self._asked.clear()
            if not self._closing.is_set() and self._turn():
                self._asked.set()
            self._closing.wait(_REST)

    def _turn(self) -> bool:
        """One sweep of those with urgent acts; whether to look again."""
        try:
            self._app = refresh(self._app)
            done = sweep_raised(self._app, lambda: datetime.now(UTC))
            # Somebody was there, and more may wait. Where nothing moves, as behind a closed gate, upkeep comes by.
            return any(outcome.changed for outcome in done if outcome.phase is not Phase.CAPTURE)
        except LockedError:
            return True
        except LeadflowError as error:
            logger.warning("an urgent act waits for upkeep: %s", type(error).__name__)
        except Exception as error:
            # Its text may quote a person.
            logger.error("the fast lane failed: %s", type(error).__name__)
        return False

"""Forms that come at once are stored at once: one transaction and one flush to disk for all of them."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from leadflow.db import in_one_go
from leadflow.models import intake
from leadflow.pipeline.runs import store_playbook
from leadflow.playbook.model import Playbook
from leadflow.types import instant_of


@dataclass(slots=True, kw_only=True)
class _Form:
    received_at: int
    body: bytes
    is_stored: bool = False
    error: Exception | None = None

    @property
    def row(self) -> Mapping[str, Any]:
        return {"kind": "form", "received_at": self.received_at, "body": self.body}


class Keeping:
    """Group commit: whoever waits for the transaction before theirs shares the next."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._writes = engine, in_one_go(engine)
        self._turn, self._guard = threading.Lock(), threading.Lock()
        self._waiting: list[_Form] = []
        #: Versions of the playbook that this process has stored.
        self._kept: set[str] = set()

    def keep(self, received_at: int, body: bytes, *, agreed: Playbook | None) -> None:
        """Return once `body` is stored for good; what the database raises, each of those raises who shared it.

        `agreed` is the playbook with whose words somebody agreed to something.
        """
        if agreed is not None and agreed.version not in self._kept:
            self._keep_words(agreed, received_at)
        form = _Form(received_at=received_at, body=body)
        with self._guard:
            self._waiting.append(form)
        with self._turn:
            if not form.is_stored and form.error is None:
                self._write_all()
        if form.error is not None:
            raise form.error

    def _keep_words(self, playbook: Playbook, at: int) -> None:
        """The words are found again by their version, though no night has used it yet."""
        with Session(self._engine) as session, session.begin():
            store_playbook(session, playbook, instant_of(at))
        self._kept.add(playbook.version)

    def _write_all(self) -> None:
        forms: Sequence[_Form] = ()
        try:
            with self._writes.begin() as connection:
                # Not before the database is ours: whoever came while we waited for it goes along.
                forms = self._take()
                connection.execute(insert(intake), [form.row for form in forms])
        except Exception as error:
            for form in forms or self._take():
                form.error = error
        else:
            for form in forms:
                form.is_stored = True

    def _take(self) -> Sequence[_Form]:
        with self._guard:
            taken, self._waiting = self._waiting, []
        return taken

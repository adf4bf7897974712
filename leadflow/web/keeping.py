"""Forms that come at once are stored at once: one transaction and one flush to disk for all of them."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from leadflow.models import intake
from leadflow.pipeline.runs import store_playbook
from leadflow.playbook.model import Playbook
from leadflow.types import instant_of


@dataclass(slots=True, kw_only=True)
class _Form:
    received_at: int
    body: bytes
    #: Whose words somebody agreed to: they are found again by their version, though no night has used it yet.
    agreed: Playbook | None
    is_stored: bool = False
    error: Exception | None = None

    @property
    def row(self) -> Mapping[str, Any]:
        return {"kind": "form", "received_at": self.received_at, "body": self.body}


class Keeping:
    """Group commit: whoever waits for the transaction before theirs shares the next."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn, self._guard = threading.Lock(), threading.Lock()
        self._waiting: list[_Form] = []

    def keep(self, received_at: int, body: bytes, *, agreed: Playbook | None) -> None:
        """Return once `body` is stored for good; what the database raises, each of those raises who shared it."""
        form = _Form(received_at=received_at, body=body, agreed=agreed)
        with self._guard:
            self._waiting.append(form)
        with self._turn:
            if not form.is_stored and form.error is None:
                self._write_all()
        if form.error is not None:
            raise form.error

    def _write_all(self) -> None:
        forms: Sequence[_Form] = ()
        try:
            with Session(self._engine) as session, session.begin():
                connection = session.connection()
                # Not before the database is ours: whoever came while we waited for it goes along.
                forms = self._take()
                connection.execute(insert(intake), [form.row for form in forms])
                agreed = {form.agreed.version: (form.agreed, form.received_at) for form in forms if form.agreed}
                for playbook, at in agreed.values():
                    store_playbook(session, playbook, instant_of(at))
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

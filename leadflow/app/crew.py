"""More processes at a full outbox: a mail is mostly written, and one process writes on one core."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Thread, Timer
from typing import Any

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from leadflow.app.workspace import App
from leadflow.playbook.model import Playbook
from leadflow.types import Everyone, Scope

#: The adapters whose mails leave the machine: the others keep theirs in this process, or wait for the disk.
_FAR = ("sendgrid", "smtp")
#: Seconds a helper is given to end once it was told to: longer than it drains, and all of a stop within half a minute.
PATIENCE = 25.0

#: Told what a helper has done since it last said so, by word.
Heard = Callable[[Mapping[str, Any]], None]


def crew_of(app: App, now: datetime, scope: Scope, patience: float = PATIENCE) -> "Crew | None":
    """The helpers of a delivery; None where it has to do without: what they open must be what we have open."""
    settings = app.settings
    size = (settings.processes or _cores()) - 1
    same = make_url(settings.url).database == app.engine.url.database and app.ports.email.name == settings.esp
    if size < 1 or not same or settings.esp not in _FAR or not isinstance(scope, Everyone):
        return None
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in settings
        if value != type(settings).model_fields[name].default
    }
    # Through a pipe: what others may read of a process are its arguments, and there are none.
    return Crew(size, {"settings": plain, "now": now.isoformat()}, app.playbook, patience)


class Crew:
    """Processes that run the same loop on the same outbox; they end when nothing is left, or when we do."""

    def __init__(self, size: int, told: Mapping[str, Any], playbook: Playbook, patience: float) -> None:
        self._size, self._told, self._playbook, self._patience = size, told, playbook, patience
        self._members: list[tuple[subprocess.Popen[str], Thread]] = []
        self._deadline: Timer | None = None

    def start(self, heard: Heard) -> None:
        """Start them; each line they say is `heard`, in threads of its own."""
        # As it is here: to read and check its files again takes a helper a second, and may find others.
        with tempfile.TemporaryFile() as handed:
            pickle.dump(self._playbook, handed)
            handed.flush()
            told = json.dumps({**self._told, "playbook": handed.fileno()})
            for _number in range(self._size):
                member = _member(told, handed.fileno())
                listener = Thread(target=_listen, args=(member, heard), daemon=True)
                listener.start()
                self._members.append((member, listener))

    def stop(self) -> None:
        """Tell them to finish what is in hand; they also hear it when this process dies. Told once, they have so long.

        The mails of one that is killed in the end stay `sending`, and are settled like those of any that died.
        """
        if self._deadline is not None:
            return
        for member, _listener in self._members:
            assert member.stdin is not None  # noqa: S101 - for the type checker
            member.stdin.close()
        self._deadline = Timer(self._patience, self._kill)
        self._deadline.daemon = True
        self._deadline.start()

    def wait(self) -> None:
        """Until all have ended, and all they said was heard."""
        for member, listener in self._members:
            member.wait()
            listener.join()
        if self._deadline is not None:
            self._deadline.cancel()

    def end(self) -> None:
        """Stop them, and do not wait for ever."""
        self.stop()
        self.wait()
        for member, _listener in self._members:
            assert member.stdout is not None  # noqa: S101 - for the type checker
            member.stdout.close()
        self._members = []

    def _kill(self) -> None:
        for member, _listener in self._members:
            member.kill()


def _member(told: str, inherited: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "leadflow.app.crew_member"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    member = subprocess.Popen(command, pass_fds=[inherited], **pipes)  # noqa: S603 - our own module
    assert member.stdin is not None  # noqa: S101 - for the type checker
    member.stdin.write(told + "\n")
    member.stdin.flush()
    return member


def _listen(member: "subprocess.Popen[str]", heard: Heard) -> None:
    assert member.stdout is not None  # noqa: S101 - for the type checker
    for line in member.stdout:
        heard(json.loads(line))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

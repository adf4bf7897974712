"""One child process and its two pipes, for a parent that trusts nothing it says and waits for it only so long."""

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import leadflow
from leadflow.email.frames import HEAD, LONGEST_ANSWER, framed, length_of

#: Seconds without an answer, or without a question being read, after which the child is given up: its own clock stops
#: it long before, unless the machine stands still.
PATIENCE = 30.0
#: Seconds that a process whose pipe is closed needs to be gone.
_ENDING = 0.5
#: Bytes on their way in a pipe, where the system lets us say so: a child goes on writing while we do something else.
_ON_THE_WAY = 1 << 20
_BEGIN = "import sys; sys.path[:] = {path!r}; from {module} import main; main({seconds})"


class ChildGoneError(Exception):
    """The child ended, or says nothing."""


class ChildProcess:
    """A process that runs `main(seconds)` of `module` with no environment, no file and no standard error."""

    def __init__(self, module: str, seconds: float) -> None:
        home = str(Path(leadflow.__file__).parents[1])
        path = [home, *(entry for entry in sys.path if entry and Path(entry).is_absolute() and entry != home)]
        command = [sys.executable, "-I", "-S", "-c", _BEGIN.format(path=path, module=module, seconds=seconds)]
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=pipe, stdout=pipe, stderr=nothing, env={}, cwd="/", bufsize=0
        )
        questions, answers = self._process.stdin, self._process.stdout
        if questions is None or answers is None:
            raise ChildGoneError
        self.pid = self._process.pid
        self._questions, self._answers = questions.fileno(), answers.fileno()
        for pipe_end in (self._questions, self._answers):
            os.set_blocking(pipe_end, False)
            with suppress(OSError, AttributeError):
                fcntl.fcntl(pipe_end, fcntl.F_SETPIPE_SZ, _ON_THE_WAY)
        # One for all: a buffer of this size is dear to get.
        self._buffer = memoryview(bytearray(_ON_THE_WAY))
        #: What was read, and how far it was looked at.
        self._got, self._at = b"", 0

    def ask(self, question: bytes) -> None:
        """Give the child `question`; it reads the whole of it before it answers."""
        rest, until = memoryview(framed(question)), time.monotonic() + PATIENCE
        while rest:
            _wait(self._questions, select.POLLOUT, until)
            try:
                rest = rest[os.write(self._questions, rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChildGoneError from error

    def answer(self, pause: float = 0) -> memoryview:
        """The next answer; ChildGoneError when none comes, BrokenAnswerError when it is too long.

        With `pause` it waits so many seconds for others to come with it: waking up for each costs more than reading it.
        """
        until = time.monotonic() + PATIENCE
        while (end := self._end()) is None:
            _wait(self._answers, select.POLLIN, until)
            time.sleep(pause)
            try:
                n = os.readv(self._answers, [self._buffer])
            except BlockingIOError:
                continue
            if not n:
                raise ChildGoneError
            self._got, self._at = b"".join((memoryview(self._got)[self._at :], self._buffer[:n])), 0
        found = memoryview(self._got)[self._at + HEAD : end]
        self._at = end
        return found

    def _end(self) -> int | None:
        """Where the next answer ends in what was read; None when not all of it was."""
        begun = self._at + HEAD
        if len(self._got) < begun:
            return None
        end = begun + length_of(self._got, self._at, LONGEST_ANSWER)
        return end if len(self._got) >= end else None

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself, or was ended by somebody else."""
        return self._process.poll() is not None

    @property
    def may_be_innocent(self) -> bool:
        """Whether something else than its work kept it from answering: SIGKILL, or a machine that stood still."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_ENDING) == -signal.SIGKILL
        return True

    def end(self) -> None:
        """Stop it, whatever it is doing."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._process.wait()


def _wait(end: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(end, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise ChildGoneError

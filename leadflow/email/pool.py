"""Compiles and fills in emails in child processes: a template that runs wild ends one of them, and nothing else."""

import asyncio
import atexit
import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from queue import LifoQueue
from types import TracebackType
from typing import Self

import orjson

from leadflow.email import frames
from leadflow.email.catalog import Email
from leadflow.email.compile import Base
from leadflow.email.frames import BrokenAnswerError, Shape
from leadflow.email.process import ChildGoneError, ChildProcess
from leadflow.email.render import Rendered
from leadflow.errors import TemplateError
from leadflow.text import _, current_language

#: Of processor time that one mail may take, or one compilation: some hundred times what the longest takes.
SECONDS = 1.0
#: Times that one text may end a child before it is refused unseen: each costs a second.
_STRIKES = 3
#: Texts that one child holds.
_MOST_TEXTS = 400
#: Seconds between two looks at the answers of more than a few tasks.
_PAUSE, _FEW = 0.002, 8
#: Tasks of one question, and bytes of one task.
_AT_ONCE, _LONGEST_TASK = 50, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One mail to be written."""

    shape: Shape
    #: Dotted name → plain value; None and '' are missing.
    facts: Mapping[str, object]
    #: Where each of `shape.slots` leads, in their order.
    links: Sequence[str]
    unsubscribe: str
    #: '' for the unsubscribe page.
    preferences: str = ""
    #: '' where nothing is to be confirmed.
    confirm: str = ""
    #: HTML of the engine's own for the end of the body, which no template sees and no text shows.
    ending: str = ""


@dataclass(slots=True)
class _Child:
    """A process, started when it is needed, and the texts it knows."""

    #: Of processor time for one mail.
    seconds: float
    process: ChildProcess | None = None
    known: set[str] = field(default_factory=set)
    #: It was ended by somebody, once: what it did then was begun again.
    forgiven: bool = False

    def ready(self) -> ChildProcess:
        if len(self.known) >= _MOST_TEXTS or (self.process is not None and self.process.has_ended):
            self.end()
        if self.process is None:
            self.process = ChildProcess("leadflow.email.child", self.seconds)
        return self.process

    def end(self) -> None:
        if self.process is not None:
            self.process.end()
        self.process = None
        self.known.clear()


class Renderers:
    """`processes` children, used by one caller at a time each; the caller's thread waits, or `submit` does."""

    def __init__(self, processes: int = 1, *, seconds: float = SECONDS) -> None:
        self._children = [_Child(seconds) for _number in range(processes)]
        self._free: LifoQueue[_Child] = LifoQueue()
        for child in self._children:
            self._free.put(child)
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="render")
        self._strikes: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start the children: they import what they need while the caller does something else."""
        for child in self._children:
            child.ready()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children; what is under way fails."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in self._children:
            child.end()

    @property
    def pids(self) -> list[int]:
        """The processes that run."""
        return [child.process.pid for child in self._children if child.process is not None]

    def compile(self, email: Email, language: str, base: Base) -> Shape:
        """What the links of `email` in `language` are; TemplateError when it cannot be used."""
        source = frames.source_of(email, language, base)
        key = hashlib.blake2b(source, digest_size=16).hexdigest()
        child = self._free.get()
        try:
            shape = self._compile(child, key, source)
        finally:
            self._free.put(child)
        if isinstance(shape, TemplateError):
            raise shape
        return shape

    def render(self, tasks: Sequence[Task]) -> list[Rendered | TemplateError]:
        """The mail of each of `tasks`, in their order, or why there is none; MissingValueError says what is missing."""
        child = self._free.get()
        try:
            return self._render(child, tasks)
        finally:
            self._free.put(child)

    async def submit(self, tasks: Sequence[Task]) -> list[Rendered | TemplateError]:
        """`render`, while the loop goes on with something else."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.render, tasks)

    def _compile(self, child: _Child, key: str, source: bytes) -> Shape | TemplateError:
        if self._strikes[key] >= _STRIKES:
            return TemplateError(_("this template was stopped several times: it is not tried again"))
        question = orjson.dumps(["compile", key, current_language(), source.decode()])
        try:
            process = child.ready()
            process.ask(question)
            told = frames.read_shape(process.answer(), key, source)
        except (ChildGoneError, BrokenAnswerError) as error:
            struck = self._struck(child, key, error)
            return struck[0] if struck else self._compile(child, key, source)
        child.known.add(key)
        return told

    def _render(self, child: _Child, tasks: Sequence[Task]) -> list[Rendered | TemplateError]:
        found: list[Rendered | TemplateError] = []
        for start in range(0, len(tasks), _AT_ONCE):
            some = tasks[start : start + _AT_ONCE]
            while some:
                outcomes = self._render_some(child, some)
                found += outcomes
                some = some[len(outcomes) :]
        return found

    def _render_some(self, child: _Child, tasks: Sequence[Task]) -> list[Rendered | TemplateError]:
        """The outcomes of the first of `tasks`: where one ends the child, those after it are left."""
        refused = self._prepare(child, {task.shape.key: task.shape for task in tasks})
        encoded = [refused.get(task.shape.key) or _encoded(task) for task in tasks]
        process = child.ready()
        outcomes: list[Rendered | TemplateError] = []
        pause = _PAUSE if len(tasks) > _FEW else 0
        try:
            process.ask(b'["render",[' + b",".join(told for told in encoded if isinstance(told, bytes)) + b"]]")
            for told, task in zip(encoded, tasks, strict=True):
                if isinstance(told, TemplateError):
                    outcomes.append(told)
                    continue
                outcome = frames.read_mail(process.answer(pause), task.shape.html, task.shape.text, task.ending)
                outcomes.append(outcome)
        except (ChildGoneError, BrokenAnswerError) as error:
            # The first without an answer ended it; those behind have not been begun.
            outcomes += self._struck(child, tasks[len(outcomes)].shape.key, error)
        else:
            child.forgiven = False
        return outcomes

    def _prepare(self, child: _Child, shapes: Mapping[str, Shape]) -> dict[str, TemplateError]:
        """Have the child know all of `shapes`; key → why not, for those that it cannot."""
        refused: dict[str, TemplateError] = {}
        while unknown := [key for key in shapes if key not in refused and not self._knows(child, key)]:
            told = self._compile(child, unknown[0], shapes[unknown[0]].source)
            if isinstance(told, TemplateError):
                refused[unknown[0]] = told
        return refused

    def _knows(self, child: _Child, key: str) -> bool:
        return self._strikes[key] < _STRIKES and key in child.known

    def _struck(self, child: _Child, key: str, error: Exception) -> list[TemplateError]:
        """What becomes of the work that `child` ended at: nothing yet where somebody else may have ended it."""
        innocent = isinstance(error, ChildGoneError) and child.process is not None and child.process.may_be_innocent
        forgive = innocent and not child.forgiven
        child.end()
        child.forgiven = forgive
        if forgive:
            return []
        self._strikes[key] += 1
        return [TemplateError(_("this template takes more time or memory than a mail may: it was stopped"))]


def compiler() -> Renderers:
    """One child for all that this process compiles and renders; both end together."""
    return _of(os.getpid())


@cache
def _of(pid: int) -> Renderers:
    # By process: what was forked from one that has a child must neither ask that child nor end it.
    made = Renderers()
    atexit.register(lambda: made.close() if os.getpid() == pid else None)
    return made


def _encoded(task: Task) -> bytes | TemplateError:
    """`task` for the child; what people typed may be what JSON cannot say."""
    rest = [task.links, task.unsubscribe, task.preferences, task.confirm]
    try:
        told = orjson.dumps([task.shape.key, task.facts, *rest])
    except TypeError:
        told = orjson.dumps([task.shape.key, {name: _plain(value) for name, value in task.facts.items()}, *rest])
    if len(told) > _LONGEST_TASK:
        return TemplateError(_("too much is known of this person: 1 MB is the most"))
    return told


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    return str(value).encode("utf-8", "replace").decode()

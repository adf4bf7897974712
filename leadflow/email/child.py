"""The process that compiles and fills in templates: it has no environment, no file, no key, little memory and time.

Started by `Renderers`; it reads questions from its standard input and answers on its standard output.
"""

import gc
import os
import resource
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any, BinaryIO, TypeVar, cast

import orjson

from leadflow.email import frames
from leadflow.email.catalog import Email
from leadflow.email.compile import Base, Compiled, compile_email
from leadflow.email.render import Links, draw_email
from leadflow.errors import TemplateError
from leadflow.text import LANGUAGES, _, set_language

#: Bytes of address space.
MEMORY = 256 * 1024 * 1024

#: Takes some of the bytes and says how many.
Write = Callable[[memoryview], int | None]
T = TypeVar("T")
#: Begins or ends the time of one piece of work.
Timer = Callable[[bool], object]


def main(seconds: float) -> None:
    """Answer until the parent closes the pipe, or is gone; `seconds` of processor time for one mail or compilation."""
    questions, answers = os.fdopen(0, "rb"), os.fdopen(1, "wb", buffering=0)
    _warm_up()
    _lock_up()
    # Whoever asks the door something goes before whoever is written to.
    os.nice(10)
    # What it holds by now stays, and a mail leaves next to nothing in a circle.
    gc.freeze()
    gc.set_threshold(50_000)
    with suppress(BrokenPipeError):
        # When the time is up the system ends this process, whatever it is in the middle of.
        serve(questions, answers.write, lambda on: signal.setitimer(signal.ITIMER_PROF, seconds if on else 0))


def serve(questions: BinaryIO, write: Write, timer: Timer) -> None:
    """Answer each question: `["compile", key, language, source]` once, `["render", tasks]` once a task."""
    texts: dict[str, Compiled | TemplateError] = {}
    while len(head := questions.read(frames.HEAD)) == frames.HEAD:
        question = orjson.loads(questions.read(frames.length_of(head, 0, frames.LONGEST_QUESTION)))
        match question:
            case ["compile", key, language, source]:
                set_language(language)
                _write_all(write, _timed(timer, partial(_compiled, texts, key, source.encode())))
            case ["render", tasks]:
                for task in tasks:
                    _write_all(write, _timed(timer, partial(_rendered, texts, task)))


def _compiled(texts: dict[str, Compiled | TemplateError], key: str, source: bytes) -> bytes:
    email, language, fields = frames.read_source(source)
    texts[key] = found = _outcome(lambda: compile_email(email, language, cast(Base, SimpleNamespace(**fields))))
    return frames.failure_frame(found) if isinstance(found, TemplateError) else frames.shape_frame(found)


def _rendered(texts: Mapping[str, Compiled | TemplateError], task: Sequence[Any]) -> bytes:
    key, facts, links, unsubscribe, preferences, confirm = task
    compiled = texts[key]
    if isinstance(compiled, TemplateError):
        return frames.failure_frame(compiled)
    made = dict(zip(compiled.slots, links, strict=True))
    known = {"unsubscribe": unsubscribe, "preferences": preferences, "confirm": confirm}
    nowhere = Links(page=_nowhere, url=_nowhere, made=made, **known)
    found = _outcome(lambda: frames.mail_frame(draw_email(compiled, facts, nowhere)))
    return frames.failure_frame(found) if isinstance(found, TemplateError) else found


def _nowhere(_target: str) -> str:
    raise TemplateError('a link is written whole where it stands: links.page("pricing")')


def _outcome(work: Callable[[], T]) -> T | TemplateError:
    try:
        return work()
    except TemplateError as error:
        return error
    except MemoryError:
        return TemplateError("this needs too much memory")
    except RecursionError:
        return TemplateError("this template nests too deeply")
    except Exception as error:  # its words may quote a person's value, its kind does not
        return TemplateError(type(error).__name__)


def _timed(timer: Timer, work: Callable[[], bytes]) -> bytes:
    timer(True)
    try:
        return work()
    finally:
        timer(False)


def _write_all(write: Write, frame: bytes) -> None:
    rest = memoryview(frame)
    while rest:
        rest = rest[write(rest) or 0 :]


def _warm_up() -> None:
    """Import what is imported at first use: no file can be opened later, not even one of Python's."""
    base = SimpleNamespace(layout="<mjml><mj-body></mj-body></mjml>", text="{{ content }}", strings={})
    for body in ("*a* [b](https://c.example)", "{{ d }}"):
        email = Email(name="", subject={"en": "a"}, kinds={"en": "md"}, bodies={"en": body})
        with suppress(TemplateError):
            compiled = compile_email(email, "en", cast(Base, base))
            frames.mail_frame(draw_email(compiled, {}, Links(page=str, url=str, unsubscribe="")))
    for language in LANGUAGES:
        set_language(language)
        _("a text")
    set_language(None)


def _lock_up() -> None:
    """Give up, for good, what filling in a template does not need."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        # Some systems do not know a limit, or not for address space; the others hold there.
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))

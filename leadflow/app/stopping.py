"""The end of a process as its deliveries hear of it: what is in hand is finished, nothing more is begun."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_wish = threading.Event()
#: One entry for each delivery of this process that is under way.
_under_way: list[object] = []


@contextmanager
def heeding() -> Iterator[None]:
    """While this lasts a delivery is under way that looks at `stop_asked`."""
    mark = object()
    _under_way.append(mark)
    try:
        yield
    finally:
        _under_way.remove(mark)


def stop_asked() -> bool:
    """Whether somebody wants this process to end."""
    return _wish.is_set()


def ask_to_stop() -> bool:
    """Let the deliveries of this process finish what is in hand; False when none was under way."""
    _wish.set()
    return bool(_under_way)


@contextmanager
def draining_at_sigterm() -> Iterator[None]:
    """Give SIGTERM to the delivery under way; without one it does what it did before.

    Only the main thread can hear a signal: elsewhere whoever owns the process calls `ask_to_stop`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)

    def hear(number: int, frame: FrameType | None) -> None:
        if ask_to_stop():
            return
        _wish.clear()
        if callable(before):
            before(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        _wish.clear()

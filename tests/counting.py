"""The statements that reach the database, as they are sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def counting(engine: Engine) -> Iterator[list[str]]:
    """The texts of the statements executed inside, in their order."""
    texts: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        texts.append(text)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield texts
    finally:
        event.remove(engine, "before_cursor_execute", note)

"""Wrong ways to deliver, each made of the right one in a worker's own process: the suites must notice every one."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine, event, text

from tests.faults.points import Points

#: What a worker keeps to: dotted names of the product's modules, and the values they get.
Constants = Mapping[str, Any]


def checkpoint_at_fetch(engine: Engine, points: Points) -> None:
    """The place in the queue moves on when a batch is taken: what was taken counts as done."""

    def mark() -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE message SET state = 'accepted', owner = NULL WHERE state = 'sending'"))

    points.always("after-intent", mark)


def send_then_mark(engine: Engine, points: Points) -> None:
    """No intent: a row in hand looks as if nothing had been sent yet, and goes back when its worker is gone."""

    def forget() -> None:
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE message SET state = 'planned', owner = NULL, attempt_id = NULL WHERE state = 'sending'")
            )

    points.always("begin", forget)


def no_fencing(engine: Engine, _points: Points) -> None:
    """Answers are written down whoever holds the row by now, and whatever has become of it."""

    def unfence(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> tuple[str, Any]:
        if "UPDATE message SET" in statement:
            # The values stay bound: both databases read the condition and let every row pass.
            fences = r"message\.(?:owner|state|attempt_id)(?: \|\| '')? = "
            fences += r'(?:%\(\w+\)s(?:::\w+)?(?: COLLATE "C")?|\?|told\."\w+")'
            head, where, tail = statement.rpartition(" WHERE message.id")
            if where:
                statement = head + where + re.sub(fences, r"(1 = 1 OR \g<0>)", tail)
        return statement, parameters

    event.listen(engine, "before_cursor_execute", unfence, retval=True)


def careless_disk(engine: Engine, _points: Points) -> None:
    """synchronous=NORMAL: a commit returns before it is on the disk."""

    def tune(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    event.listen(engine, "connect", tune)


MUTANTS: Mapping[str, Callable[[Engine, Points], None]] = {
    "checkpoint-at-fetch": checkpoint_at_fetch,
    "send-then-mark": send_then_mark,
    "no-fencing": no_fencing,
    "synchronous-normal": careless_disk,
}

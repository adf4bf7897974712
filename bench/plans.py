"""Collects how the database means to run each statement, just before it does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

#: What `CREATE TABLE`, `ANALYZE` and the like are not: statements with a plan.
_PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "CREATE TEMPORARY TABLE")


@contextmanager
def explained(engine: Engine) -> Iterator[Callable[[], str]]:
    """Run statements of `engine` inside; the callable says each with its plan."""
    found: list[str] = []

    def ask(_connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if many or not statement.lstrip().startswith(_PLANNED) or " TABLE IF NOT EXISTS" in statement:
            return
        word = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        # A second cursor: the first is about to be used.
        with_plan = cursor.connection.cursor()
        with_plan.execute(f"{word} {statement}", parameters)
        lines = [str(row[-1]) for row in with_plan.fetchall()]
        with_plan.close()
        found.append("\n".join([statement.strip(), *(f"    {line}" for line in lines)]))

    event.listen(engine, "before_cursor_execute", ask)
    yield lambda: "\n\n".join(found)
    event.remove(engine, "before_cursor_execute", ask)

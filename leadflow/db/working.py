"""What a phase works out on the way: rows kept aside in temporary tables, and expressions computed once."""

from typing import Any

from sqlalchemy import (
    ClauseElement,
    Executable,
    Select,
    Subquery,
    Table,
    TableClause,
    column,
    literal_column,
    table,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import InternalTraversal


def once(rows: Select[Any], name: str) -> Subquery:
    """`rows`, each column of which is computed once a row, however often the outer statement names it.

    Both databases would else write the expression wherever its name stands. An OFFSET keeps them from it; quoted,
    because PostgreSQL reads on several cores only where it sees a plain 0, and a bare one is converted first.
    """
    return rows.offset(literal_column("'0'")).subquery(name)


class CreateTableAs(Executable, ClauseElement):
    """CREATE TEMPORARY TABLE … AS SELECT: unlike INSERT … SELECT, PostgreSQL reads for it on several cores."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - a list, says SQLAlchemy
        ("name", InternalTraversal.dp_string),
        ("rows", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, name: str, rows: Select[Any]) -> None:
        self.name, self.rows = name, rows


@compiles(CreateTableAs)
def _create_table_as(element: CreateTableAs, compiler: Any, **kw: Any) -> str:
    return f"CREATE TEMPORARY TABLE {element.name} AS {compiler.process(element.rows, **kw)}"


def stage(session: Session, name: str, rows: Select[Any]) -> TableClause:
    """A temporary table that holds `rows`, until `unstage`."""
    session.execute(CreateTableAs(name, rows))
    return table(name, *(column(given.name, given.type) for given in rows.selected_columns))


def refill(session: Session, name: str, key: str, rows: Select[Any]) -> None:
    """Make the temporary table `name` anew with `rows`, one for each `key`: its index is built once, not row by row."""
    session.execute(text(f"DROP TABLE IF EXISTS {name}"))
    session.execute(CreateTableAs(name, rows))
    session.execute(text(f"CREATE UNIQUE INDEX {name}_key ON {name} ({key})"))


def unstage(session: Session, staged: TableClause) -> None:
    """Drop what `stage` made."""
    session.execute(text(f"DROP TABLE {staged.name}"))


def analyze(session: Session, *filled: Table) -> None:
    """Let PostgreSQL count temporary rows, which nothing else does; SQLite goes by their keys whatever their number."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ANALYZE " + ", ".join(table.name for table in filled)))


def sample_little(session: Session) -> None:
    """Until the transaction ends, `analyze` reads a tenth of the usual sample: enough for rows soon dropped."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL default_statistics_target = 10"))


#: Tables whose statistics speak of another size: of no rows where pages are (an analysis in the middle of a large
#: uncommitted load notes that), of none at all, or of less than half of what is there now.
_OUTGROWN = """
    SELECT quote_ident(relname) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 8192 * :few
      AND (reltuples <= 0 OR pg_relation_size(oid) > 2 * 8192 * greatest(relpages, 1))
    ORDER BY relname
"""


def refresh_statistics(session: Session, few: int = 8) -> None:
    """On PostgreSQL, analyze the tables of more than `few` pages that have outgrown their statistics.

    Autovacuum comes once a minute. A planner that takes 10,000 rows for none walks them one by one for each other
    one: hours, where it is otherwise a second.
    """
    if session.get_bind().dialect.name == "postgresql":
        for name in session.scalars(text(_OUTGROWN), {"few": few}).all():
            session.execute(text(f"ANALYZE {name}"))

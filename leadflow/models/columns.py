"""Column shorthands, so that a table reads as its list of names and kinds."""

from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    event,
    false,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from leadflow.db import Instant, Key, Word

#: A JSON object; JSONB on PostgreSQL.
Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

#: Narrow tables that every sweep walks along their key: SQLite keeps the rows in the key itself.
BY_KEY = {"sqlite_with_rowid": False}


def key() -> Any:
    """A counted primary key."""
    return Field(default=None, sa_column=Column(Key, primary_key=True, autoincrement=True))


def part_of_key(kind: Any = BigInteger) -> Any:
    """One column of a composite primary key; the database never counts it."""
    return Field(sa_column=Column(kind, primary_key=True, autoincrement=False))


def refers(target: str, *, required: bool = True, index: bool = False, primary: bool = False) -> Any:
    """A reference to `table.column`."""
    column: Column[int] = Column(
        BigInteger, ForeignKey(target), nullable=not required, index=index, primary_key=primary, autoincrement=False
    )
    return Field(default=None, sa_column=column)


def taken_from(*, required: bool = True, index: bool = False) -> Any:
    """The id of a row that was just read, in rows that a night writes by the thousand.

    No foreign key: PostgreSQL would look up and lock the row again for each of them, which writes its page anew.
    """
    column: Column[int] = Column(BigInteger, nullable=not required, index=index, autoincrement=False)
    return Field(default=None, sa_column=column)


def whole(*, required: bool = True, default: int | None = None, big: bool = True) -> Any:
    """A whole number."""
    kind = BigInteger() if big else Integer()
    return _column(kind, required=required, default=default)


def flag(*, default: bool = False) -> Any:
    """Yes or no."""
    return _column(Boolean(), required=True, default=default)


def word(*, required: bool = True, default: str | None = None) -> Any:
    """Text compared by code point on both databases."""
    return _column(Word, required=required, default=default)


def prose(*, required: bool = False) -> Any:
    """Text that only people read."""
    return _column(Text(), required=required, default=None)


def instant(*, required: bool = True) -> Any:
    """BIGINT of UTC microseconds."""
    return _column(Instant(), required=required, default=None)


def document(*, required: bool = True) -> Any:
    """A JSON object."""
    empty = text("'{}'") if required else None
    return Field(default_factory=dict, sa_column=Column(Document, nullable=not required, server_default=empty))


def raw() -> Any:
    """Bytes as they came."""
    return Field(sa_column=Column(LargeBinary, nullable=False))


def _column(kind: Any, *, required: bool, default: Any) -> Any:
    # The default stands in the schema too, so that a set-based INSERT … SELECT need not name every column.
    return Field(
        default=default,
        sa_column=Column(kind, nullable=not required, server_default=_in_schema(default), default=default),
    )


def _in_schema(default: Any) -> Any:
    match default:
        case bool():
            return true() if default else false()
        case int():
            return text(str(default))
        case _:
            return default


def leave_room(table: Table, fillfactor: int) -> None:
    """Most rows of `table` are rewritten every night: on PostgreSQL the new ones find room beside the old."""
    room = DDL(f"ALTER TABLE %(table)s SET (fillfactor = {fillfactor})")  # type: ignore[no-untyped-call]
    event.listen(table, "after_create", room.execute_if(dialect="postgresql"))


def table_of(model: type[SQLModel]) -> Table:
    """The Core table behind a model, for set-based statements."""
    table = model.__dict__["__table__"]
    assert isinstance(table, Table)  # noqa: S101 - narrows what SQLModel types as Any
    return table

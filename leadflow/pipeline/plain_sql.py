"""A statement as plain text: what is the same in every execution is written out, and few parameters are left."""

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Dialect, String, TextualSelect, Update, literal, text

#: Begins what stands for a parameter in a statement that is to be written out: no other value contains it.
_HERE = "f8d1b2c7a4e94f03"


def place(name: str) -> ColumnElement[str]:
    """Where parameter `name` goes."""
    return literal(_HERE + name, String)


def written_out(
    statement: Update, names: Sequence[str], dialect: Dialect, returns: Sequence[Column[object]]
) -> TextualSelect:
    """`statement`, with `returns`, as text with all its values in it, and a parameter at the place of each of `names`.

    A large statement has hundreds of values, and to bind, send and find them costs more than what it does.
    """
    written = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    if dialect.paramstyle in ("format", "pyformat"):
        written = written.replace("%%", "%")
    written = written.replace(":", r"\:")
    for name in names:
        written = written.replace(f"'{_HERE}{name}'", f":{name}")
    return text(written).columns(*returns)

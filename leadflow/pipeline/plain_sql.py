"""A statement as plain text: what is the same in every execution is written out, and one parameter is left."""

from collections.abc import Sequence

from sqlalchemy import Column, Dialect, String, TextualSelect, Update, literal, text

#: Where the parameter goes in a statement that is to be written out: no other value contains it.
_HERE = "f8d1b2c7a4e94f03"
PLACE = literal(_HERE, String)


def written_out(statement: Update, name: str, dialect: Dialect, returns: Sequence[Column[object]]) -> TextualSelect:
    """`statement`, with `returns`, as text with all its values in it, and a parameter `name` at each PLACE.

    A large statement has hundreds of values, and to bind, send and find them costs more than what it does.
    """
    written = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    if dialect.paramstyle in ("format", "pyformat"):
        written = written.replace("%%", "%")
    return text(written.replace(":", r"\:").replace(f"'{_HERE}'", f":{name}")).columns(*returns)

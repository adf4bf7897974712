"""What SQLAlchemy compiled in one test is ready in the next, on whichever database of the same kind."""

from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

from leadflow import db
from leadflow.db import make_engine


class _Compiled(LRUCache[Any, Any]):
    """Statements by the kind of database: SQLAlchemy asks by the dialect of one engine, a third of a test's time."""

    def get(self, key: Any, default: Any = None) -> Any:
        """The statement, whichever engine it was compiled for."""
        return super().get(_kind(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_kind(key), value)


def _kind(key: Any) -> Any:
    dialect, *rest = key
    return dialect.name, dialect.driver, *rest


#: Room for the statements of a whole run.
_compiled = _Compiled(6000)


def share_compiled() -> None:
    """Let all engines of this process share what is compiled."""

    def create(*where: Any, **how: Any) -> Engine:
        engine = create_engine(*where, **how)
        engine.update_execution_options(compiled_cache=_compiled)
        return engine

    vars(db)["create_engine"] = create


class Moving:
    """An engine that connects to whichever database it was sent to last."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine = make_engine(url)
        event.listen(self._engine, "do_connect", self._connect_here)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _do_not_wait_for_the_disk)
        else:
            event.listen(self._engine, "connect", _plan_anew)

    def to(self, url: str) -> Engine:
        """The engine, on the database at `url`; no connection to another one is kept."""
        if make_url(url) != self._url or self._engine.pool.checkedout():  # type: ignore[attr-defined]
            self.leave()
        self._url = self._engine.url = make_url(url)
        return self._engine

    def leave(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def _connect_here(self, dialect: Dialect, _record: Any, words: list[Any], options: dict[str, Any]) -> None:
        here, more = dialect.create_connect_args(self._url)
        words[:] = here
        options.update(more)


def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _plan_anew(connection: Any, _record: Any) -> None:
    # A connection lives through many tests: what was planned for the rows of one is not for those of another.
    connection.execute("SET plan_cache_mode = force_custom_plan")
    connection.commit()

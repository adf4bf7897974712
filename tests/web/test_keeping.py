"""Forms that come at once share a transaction: each is stored before anybody is thanked."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from leadflow.models import intake, playbook_version
from leadflow.playbook.model import Playbook
from leadflow.web.keeping import Keeping
from tests.build import playbook
from tests.web.waiting import SOON, eventually

BOOK = playbook()
TEN = [b"%d" % n for n in range(10)]


def stored(engine: Engine) -> list[bytes]:
    with Session(engine) as session:
        return sorted(session.scalars(select(intake.c.body)))


def together(keeping: Keeping, agreed: Playbook | None = None) -> Sequence[Future[None]]:
    """Ten forms that came while another was being stored."""
    with ThreadPoolExecutor(len(TEN)) as threads, vars(keeping)["_turn"]:
        done = [threads.submit(keeping.keep, 1, body, agreed=agreed) for body in TEN]
        assert eventually(lambda: len(vars(keeping)["_waiting"]) == len(TEN))
        assert not any(one.done() for one in done)
    return done


def test_those_who_wait_for_another_go_in_one_transaction(engine: Engine) -> None:
    commits: list[int] = []

    def count(_connection: Any) -> None:
        commits.append(len(commits))

    event.listen(engine, "commit", count)
    try:
        for one in together(Keeping(engine)):
            one.result(SOON)
        assert len(commits) == 1
    finally:
        event.remove(engine, "commit", count)
    assert stored(engine) == TEN


def test_the_words_they_agreed_to_are_kept_with_them(engine: Engine) -> None:
    together(Keeping(engine), BOOK)
    with Session(engine) as session:
        assert session.scalars(select(playbook_version.c.hash)).all() == [BOOK.version]


def test_nobody_is_thanked_for_what_the_database_did_not_take(engine: Engine) -> None:
    def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    keeping = Keeping(engine)
    event.listen(engine, "before_cursor_execute", fail)
    try:
        assert [type(one.exception(SOON)) for one in together(keeping)] == [OSError] * len(TEN)
    finally:
        event.remove(engine, "before_cursor_execute", fail)
    assert stored(engine) == []
    keeping.keep(1, b"later", agreed=None)
    assert stored(engine) == [b"later"]

"""The breaker: a run of outages shuts it for all workers, one mail of one of them tries, and an answer opens it."""

import pytest
from sqlalchemy import BigInteger, Engine, select, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.models import breaker
from leadflow.pipeline.breaker import Breaker
from leadflow.playbook.model import Outage
from leadflow.types import HOUR, MINUTE, SECOND
from tests.counting import counting

RULE = Outage(after=3, retry_after=MINUTE)


@pytest.fixture
def ana() -> Breaker:
    return Breaker("sendgrid", "ana", RULE)


@pytest.fixture
def ben() -> Breaker:
    return Breaker("sendgrid", "ben", RULE)


def outages(worker: Breaker, session: Session, n: int = 1, patience: float | None = None) -> None:
    for _mail in range(n):
        worker.note("cannot connect", patience)
    worker.tell(session)


def later(session: Session, micros: int) -> None:
    """As if so much time had passed."""
    columns = (breaker.c.opened_at, breaker.c.ask_at, breaker.c.probe_until)
    session.execute(
        update(breaker).values({column.name: type_coerce(column, BigInteger) - micros for column in columns})
    )


def test_a_run_of_outages_shuts_it_for_all(session: Session, ana: Breaker, ben: Breaker) -> None:
    outages(ana, session, 2)
    assert (ana.ask(session), ben.ask(session)) == (True, True)
    ana.note("cannot connect")
    assert ana.is_tripped
    ana.tell(session)
    assert (ana.ask(session), ben.ask(session)) == (False, False)


def test_workers_add_up_their_outages(session: Session, ana: Breaker, ben: Breaker) -> None:
    outages(ana, session, 2)
    assert ben.ask(session)
    outages(ben, session, 1)
    assert not ana.ask(session)


def test_an_answer_in_between_begins_a_new_run(session: Session, ana: Breaker) -> None:
    outages(ana, session, 2)
    assert ana.ask(session)
    ana.note(None)
    outages(ana, session, 2)
    assert (ana.ask(session), ana.is_tripped) == (True, False)


def test_after_a_while_exactly_one_worker_sends_exactly_one_mail(session: Session, ana: Breaker, ben: Breaker) -> None:
    outages(ana, session, 3)
    later(session, MINUTE - SECOND)
    assert not ana.ask(session)
    later(session, SECOND)
    assert (ben.ask(session), ben.is_probing) == (True, True)
    assert (ana.ask(session), ana.is_probing) == (False, False)


def test_the_answer_to_the_probe_opens_it(session: Session, ana: Breaker, ben: Breaker) -> None:
    outages(ana, session, 3)
    later(session, MINUTE)
    assert ben.ask(session)
    ben.note(None)
    ben.tell(session)
    assert (ana.ask(session), ana.is_probing) == (True, False)


def test_a_probe_that_fails_waits_anew_whatever_the_number(session: Session, ana: Breaker, ben: Breaker) -> None:
    outages(ana, session, 3)
    later(session, MINUTE)
    assert ben.ask(session)
    ben.note("cannot connect")
    assert ben.is_tripped
    ben.tell(session)
    assert (ana.ask(session), ben.ask(session)) == (False, False)
    later(session, MINUTE)
    assert ana.ask(session)


def test_a_probe_nobody_sent_and_one_whose_worker_died_are_somebody_elses(
    session: Session, ana: Breaker, ben: Breaker
) -> None:
    outages(ana, session, 3)
    later(session, MINUTE)
    assert ben.ask(session)
    ben.tell(session)
    assert ana.ask(session)
    assert not ben.ask(session)
    later(session, 3 * MINUTE)
    assert ben.ask(session)


def test_late_answers_to_mails_of_before_neither_open_it_nor_put_the_probe_off(
    session: Session, ana: Breaker, ben: Breaker
) -> None:
    assert ben.ask(session)
    outages(ana, session, 3)
    later(session, MINUTE)
    outages(ben, session, 2)
    assert (ana.ask(session), ana.is_probing) == (True, True)
    ana.tell(session)
    ben.ask(session)
    ben.tell(session)
    late = Breaker("sendgrid", "late", RULE)
    late.note(None)
    late.tell(session)
    assert session.scalar(select(breaker.c.opened_at)) is not None


def test_a_provider_that_asks_for_patience_is_given_it(session: Session, ana: Breaker) -> None:
    outages(ana, session, 3, patience=600.0)
    later(session, 9 * MINUTE)
    assert not ana.ask(session)
    later(session, MINUTE)
    assert ana.ask(session)


def test_a_clock_put_back_does_not_keep_it_shut(session: Session, ana: Breaker) -> None:
    outages(ana, session, 3)
    later(session, -24 * HOUR)
    assert ana.ask(session)


def test_a_provider_that_works_costs_one_look_a_claim(engine: Engine, ana: Breaker) -> None:
    with Session(engine) as session, counting(engine) as texts:
        for _claim in range(4):
            assert ana.ask(session)
            ana.note(None)
            ana.tell(session)
    assert sum("breaker" in text for text in texts) == 4


def test_providers_do_not_answer_for_each_other(session: Session, ana: Breaker) -> None:
    outages(ana, session, 3)
    assert Breaker("smtp", "ana", RULE).ask(session)

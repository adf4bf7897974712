"""The pace of delivery, decided in the database: rates of all workers together, and what stops a run."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from leadflow.errors import OutageError, RefusedError, RetryableError, UnknownOutcomeError
from leadflow.models import bucket, message
from leadflow.pipeline.buckets import at_a_rate, take
from leadflow.pipeline.pace import Halt, Pace
from leadflow.playbook.model import Outage, Playbook, WarmUp
from leadflow.types import MINUTE, SECOND, Outcome, Rate
from tests.build import NIGHT
from tests.counting import counting
from tests.pipeline.mails import deliver
from tests.pipeline.pacing import Noting, add_crowd, paced
from tests.soak import SOAK

ROOT = Path(__file__).parents[2]
#: Mails a second; how long the workers work; a minute where there is time.
RATE, SECONDS = 100, 64.0 if SOAK else 4.0


def crowd(engine: Engine, n: int, **columns: Any) -> None:
    with Session(engine) as session, session.begin():
        add_crowd(session, n, **columns)


def run(engine: Engine, book: Playbook, provider: Any = None, **changes: Any) -> tuple[Outcome, Halt | None]:
    """One run of deliver behind its gate, and what shut the gate at the end."""
    provider = provider or Noting()
    pace = Pace(book, NIGHT, provider=provider.name)
    outcome = deliver(engine, provider, playbook=book, gate=pace, **changes)
    return outcome, pace.halted


def states(engine: Engine) -> dict[str, int]:
    with Session(engine) as session:
        found = session.execute(select(message.c.state, func.count()).group_by(message.c.state))
        return {row[0]: row[1] for row in found}


def _worker(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.pipeline.pacing", url, str(RATE), str(SECONDS)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)


def _heard(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().rstrip("\n")


def _tell(worker: subprocess.Popen[str], line: str) -> None:
    assert worker.stdin is not None
    worker.stdin.write(line + "\n")
    worker.stdin.flush()


def test_four_workers_keep_one_rate_within_five_percent(engine: Engine, database_url: str) -> None:
    crowd(engine, int(RATE * (SECONDS + 3)))
    workers = [_worker(database_url) for _number in range(4)]
    try:
        assert [_heard(worker) for worker in workers] == ["ready"] * 4
        began = time.time()
        for worker in workers:
            _tell(worker, "go")
        left = [at for told in [_heard(worker) for worker in workers] for at in json.loads(told)]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    took = max(left) - began
    # A bucket is full at first: of a minute, that is a sixtieth.
    assert 0.95 * RATE * took <= len(left) <= RATE * took + RATE
    if SOAK:
        minute = [at for at in left if at < min(left) + 60]
        assert len(minute) == pytest.approx(RATE * 60, rel=0.05)


def test_a_domain_has_its_own_rate_and_holds_nobody_else_up(engine: Engine) -> None:
    crowd(engine, 40, domain="gmail.com")
    crowd(engine, 60, first=41, domain="y.example")
    book = paced(domains={"gmail.com": Rate(n=20, per=SECOND)})
    provider, began = Noting(), time.time()
    outcome, halted = run(engine, book, provider, batch=30)
    assert (outcome.counts["accepted"], outcome.counts["waiting"], halted) == (100, 0, None)
    left = list(zip(provider.at, provider.domains, strict=True))
    slow, others = ([at - began for at, domain in left if domain == name] for name in ("gmail.com", "y.example"))
    # A bucketful of twenty at once, the other twenty in the second after that.
    assert max(slow) >= 0.9
    assert max(others) < max(slow)


def test_a_domain_whose_tokens_others_have_taken_is_waited_for(engine: Engine) -> None:
    crowd(engine, 6, domain="gmail.com")
    rate = Rate(n=5, per=SECOND)
    with Session(engine) as session, session.begin():
        assert take(session, at_a_rate("to gmail.com", rate), 5).n == 5
    outcome, halted = run(engine, paced(domains={"gmail.com": rate}, rate=Rate(n=50, per=SECOND)))
    assert (outcome.counts["accepted"], outcome.counts["waiting"], halted) == (6, 0, None)
    with Session(engine) as session:
        # What was claimed and went back has used up nothing of the other rate.
        assert session.scalars(select(bucket.c.spent).where(bucket.c.name == "noting")).one() <= 6_000_000


def test_all_domains_not_named_share_a_rate(engine: Engine) -> None:
    crowd(engine, 15, domain="a.example")
    crowd(engine, 15, first=16, domain="b.example")
    provider, began = Noting(), time.time()
    run(engine, paced(domains={"others": Rate(n=20, per=SECOND), "gmail.com": Rate(n=1, per=MINUTE)}), provider)
    assert len(provider.at) == 30
    assert max(provider.at) - began >= 0.4


def test_a_rate_of_minutes_leaves_the_rest_to_a_later_run(engine: Engine) -> None:
    crowd(engine, 3)
    outcome, halted = run(engine, paced(rate=Rate(n=10, per=60 * MINUTE)))
    assert (outcome.counts["accepted"], outcome.counts["waiting"], halted) == (1, 2, Halt.RATE)


def test_a_day_of_the_warm_up_has_its_number_whoever_sends(engine: Engine) -> None:
    crowd(engine, 30)
    book = paced(warm_up=WarmUp(since=NIGHT.date(), first_day=12, growth=50, until=1000))
    first, halted = run(engine, book, batch=5)
    assert (first.counts["accepted"], first.counts["waiting"], halted) == (12, 18, Halt.WARM_UP)
    second, _halted = run(engine, book)
    assert second.changed == 0


def test_a_mail_that_does_not_leave_uses_up_nothing_of_the_day(engine: Engine) -> None:
    crowd(engine, 10, expires_at=NIGHT)
    crowd(engine, 10, first=11, email="gone")
    crowd(engine, 10, first=21)
    book = paced(warm_up=WarmUp(since=NIGHT.date(), first_day=12, growth=50, until=1000))
    outcome, _halted = run(engine, book, batch=4)
    assert (outcome.counts["accepted"], outcome.counts["failed"]) == (10, 10)
    with Session(engine) as session:
        assert session.scalar(select(bucket.c.spent)) == 10_000_000


class Down(Noting):
    """Answers nobody but those after the first `n`."""

    def __init__(self, n: int = 10**9, error: Exception | None = None) -> None:
        super().__init__()
        self._n, self._error = n, error or OutageError("cannot connect", retry_after=0.01)

    async def send(self, mail: Any) -> str:
        """An outage, or the mail is taken."""
        if len(self.at) < self._n:
            self.at.append(time.time())
            raise self._error
        return await super().send(mail)


def test_a_provider_that_answers_nobody_is_left_in_peace_at_no_cost_to_any_mail(engine: Engine) -> None:
    crowd(engine, 60)
    provider = Down()
    provider.in_flight = 2
    outcome, halted = run(engine, paced(outage=Outage(after=5)), provider, batch=20)
    assert 5 <= len(provider.at) <= 8
    assert (halted, outcome.counts["waiting"], states(engine)) == (Halt.OUTAGE, 60, {"planned": 60})
    with Session(engine) as session:
        assert session.scalar(select(func.sum(message.c.attempts))) == 0
    again = Down()
    assert run(engine, paced(outage=Outage(after=5)), again)[1] is Halt.OUTAGE
    assert again.at == []


def test_answers_nobody_can_read_open_the_breaker_too(engine: Engine) -> None:
    crowd(engine, 40)
    provider = Down(error=UnknownOutcomeError("500"))
    provider.in_flight = 1
    _outcome, halted = run(engine, paced(outage=Outage(after=5)), provider, batch=20)
    assert (halted, len(provider.at), states(engine)) == (Halt.OUTAGE, 5, {"planned": 35, "unknown": 5})


@pytest.mark.parametrize("error", [RefusedError("550"), RetryableError("451")])
def test_a_provider_that_refuses_mail_after_mail_works(engine: Engine, error: Exception) -> None:
    crowd(engine, 20)
    provider = Down(error=error)
    _outcome, halted = run(engine, paced(outage=Outage(after=5)), provider)
    assert (len(provider.at), halted) == (20, None)


def test_a_short_outage_is_waited_for_in_the_run(engine: Engine) -> None:
    crowd(engine, 30)
    provider = Down(3)
    provider.in_flight = 1
    outcome, halted = run(engine, paced(outage=Outage(after=5)), provider, batch=10)
    assert (outcome.counts["accepted"], outcome.counts["waiting"], halted) == (30, 0, None)


def test_without_a_word_in_the_playbook_a_claim_costs_one_statement_more(engine: Engine) -> None:
    crowd(engine, 60)
    with counting(engine) as texts:
        run(engine, paced(), batch=10)
    looks = [text for text in texts if "breaker" in text or "bucket" in text or "canary" in text]
    # Six claims, and one that finds nothing left.
    assert len(looks) <= 8

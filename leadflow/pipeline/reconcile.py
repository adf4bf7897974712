"""What becomes of attempts nobody can speak for: settled by the provider's news, else by its log, else by the playbook.

Runs beside workers that live and other reconcilers: a row is moved only from the state and attempt it was seen in.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, false
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from leadflow.errors import BusyError, CrowdedError, ProviderError, SettingsError
from leadflow.pipeline.deliver_answers import MAX_ATTEMPTS
from leadflow.pipeline.reconcile_news import news_of_doubtful
from leadflow.pipeline.reconcile_rows import (
    NOT_REPLACED,
    accept,
    denied,
    end,
    first_of_each_address,
    left_over,
    note_negatives,
    plan_again,
    record,
    repeatable,
    to_ask,
    unanswered,
)
from leadflow.playbook.model import Playbook
from leadflow.ports import Asked, MessageLog
from leadflow.text import _
from leadflow.types import HOUR, SECOND, MessageState, Reason, instant_of, micros

#: The longest an adapter waits for an answer, and the age at which a worker no longer begins to send what it intended.
CLIENT_TIMEOUT = 60 * SECOND
FRESHNESS = 120 * SECOND
#: Intents so near to each other are asked about in one question.
_WINDOW = 6 * HOUR


def reconcile_messages(
    engine: Engine, playbook: Playbook, now: datetime, *, log: MessageLog | None
) -> Mapping[str, int]:
    """Settle what can be settled; counts by what became of it, `waiting` for what must wait, `unreachable` of the log.

    SettingsError when the playbook's grace is too short to believe anybody.
    """
    refuse_short_grace(playbook, log)
    run = _Run(engine, playbook, now)
    run.hear_news()
    if log is not None:
        run.ask(log)
        run.settle_denied()
    else:
        run.settle_without_log()
    return run.result()


def shortest_grace(log: MessageLog | None) -> timedelta:
    """A grace must be longer than this: until then an attempt may still be on its way, or in the log and not seen."""
    lag = log.lag if log is not None else timedelta()
    return timedelta(microseconds=CLIENT_TIMEOUT + FRESHNESS) + lag


def refuse_short_grace(playbook: Playbook, log: MessageLog | None) -> None:
    """SettingsError where a no of the log could come before the attempt is in it: somebody would get a mail twice."""
    grace, least = timedelta(microseconds=playbook.delivery.grace), shortest_grace(log)
    if grace <= least:
        told = _(
            "delivery: {{grace: {grace} minutes}} is too short: a mail may take {least} minutes to show in the"
            " provider's log (a worker that stood still, a slow answer, the log's delay): write more than that"
        )
        raise SettingsError(told.format(grace=_minutes(grace), least=_minutes(least)))


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:g}"


class _Run:
    """One reconciliation: what it has settled so far."""

    def __init__(self, engine: Engine, playbook: Playbook, now: datetime) -> None:
        self._engine = engine
        self._playbook = playbook
        self._now = now
        self._grace = playbook.delivery.grace
        self._counts: Counter[str] = Counter()

    def hear_news(self) -> None:
        """Attempts that the provider itself has spoken of are accepted, whatever we could not hear at the time."""
        with Session(self._engine) as session, session.begin():
            found = news_of_doubtful(session)
            told = accept(session, found, NOT_REPLACED) if found else []
            self._record(session, told, "told")

    def ask(self, log: MessageLog) -> None:
        """Ask the log about what is overdue; where it cannot be asked nothing changes."""
        with Session(self._engine) as session:
            rows = session.execute(to_ask(self._grace)).all()
        try:
            for some in _near(rows):
                self._ask(log, some)
        except BusyError:
            self._counts["busy"] = 1
        except ProviderError:
            self._counts["unreachable"] = 1

    def _ask(self, log: MessageLog, rows: Sequence[Row[Any]]) -> None:
        asked = [Asked(attempt_id=r.attempt_id, to=r.address, intent_at=instant_of(r.intent)) for r in rows]
        try:
            found = log.find(asked)
        except CrowdedError:
            # Too many mails of others: each address by itself, and one that cannot be asked about keeps none waiting.
            for row in rows if len(rows) > 1 else ():
                self._ask(log, [row])
            self._counts["crowded"] += len(rows) == 1
            return
        except BusyError as error:
            self._note(rows, error.found, error.denied)
            raise
        self._note(rows, found, {row.attempt_id for row in rows} - found.keys())

    def _note(self, rows: Sequence[Row[Any]], found: Mapping[str, str], denied: Collection[str]) -> None:
        self._counts["asked"] += len(found) + len(denied)
        with Session(self._engine) as session, session.begin():
            self._record(session, accept(session, found, NOT_REPLACED) if found else [], "found")
            noted = session.execute(note_negatives(denied, self._grace, rows[0].seen)).all() if denied else []
            self._counts["denied"] += len(noted)

    def settle_denied(self) -> None:
        """What the log has denied often enough never left: planned again, unless it is too late or was tried enough."""
        with Session(self._engine) as session, session.begin():
            rows = session.execute(denied(self._grace)).all()
            expired = [row.id for row in rows if row.expires <= micros(self._now)]
            worn = [r.id for r in rows if r.attempts >= MAX_ATTEMPTS and r.id not in expired]
            session.execute(end(expired, MessageState.SUPPRESSED, Reason.EXPIRED))
            self._record(session, expired, "expired")
            session.execute(end(worn, MessageState.FAILED, Reason.REFUSED, "not in the provider's log"))
            self._record(session, worn, "worn_out")
        self._plan([row for row in rows if row.id not in {*expired, *worn}])

    def settle_without_log(self) -> None:
        """Nobody can ever say: held as unknown, or sent again, as the playbook chooses between zero and two."""
        resend = self._playbook.delivery.on_unknown == "resend"
        worth = repeatable(micros(self._now), MAX_ATTEMPTS) if resend else false()
        with Session(self._engine) as session, session.begin():
            rows = session.execute(unanswered(self._grace, worth).add_columns(worth.label("worth"))).all()
            again = [row for row in rows if row.worth]
            held = [row.id for row in rows if not row.worth]
            session.execute(end(held, MessageState.UNKNOWN, Reason.UNKNOWN_OUTCOME))
            self._record(session, held, "held")
        self._plan(again)

    def _plan(self, rows: Sequence[Row[Any]]) -> None:
        chosen = [row.attempt_id for row in first_of_each_address(rows)]
        try:
            with Session(self._engine) as session, session.begin():
                planned = list(session.scalars(plan_again(self._playbook, chosen))) if chosen else []
                self._record(session, planned, "planned_again")
        except IntegrityError:
            # A sweep planned another mail for one of the addresses meanwhile: the next run sees it.
            self._counts["outranked"] += len(chosen)

    def _record(self, session: Session, ids: Sequence[int], word: str) -> None:
        self._counts[word] += len(ids)
        record(session, self._playbook, self._now, ids, word)

    def result(self) -> Mapping[str, int]:
        """The counts, and how many attempts are past their grace and unsettled."""
        with Session(self._engine) as session:
            left = left_over(session, self._grace)
        return {word: n for word, n in self._counts.items() if n} | {"waiting": left.get(MessageState.SENDING, 0)}


def _near(rows: Sequence[Row[Any]]) -> Iterator[Sequence[Row[Any]]]:
    """Attempts in groups whose intents lie within one window, in their order."""
    some: list[Row[Any]] = []
    for row in rows:
        if some and row.intent - some[0].intent > _WINDOW:
            yield some
            some = []
        some.append(row)
    if some:
        yield some

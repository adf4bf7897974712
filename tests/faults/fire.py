"""One fire: a database, an outside world with its manners, workers that are killed, and the account at the end."""

import random
import signal
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.manners import Manners
from tests.faults.outbox import Account, plan_messages, settle_account, states, watching
from tests.faults.record import Accepted, read_record
from tests.faults.table import Line, note
from tests.faults.world import OutsideWorld, Zygote, kill, lives, stands_still, wait_for

#: States that a worker still has something to do about.
_OPEN = ("planned", "claimed", "sending")
#: Bytes of the record that are about one mail.
_LINE = 175


class Fire:
    """What a test lights: it begins with an empty outbox, nobody at work, and a world that accepts everything."""

    def __init__(self, *, suite: str, database: str, url: str, outside: OutsideWorld, zygote: Zygote) -> None:
        self.database, self.url = database, url
        self.outside = outside
        self.engine = watching(url)
        #: What its line of the table is called.
        self.suite = suite
        self._zygote = zygote
        self._began = time.time()
        self._planned = 0
        self.kills = 0
        #: Whether the account is for the table: that of a mutant is not.
        self.counts = True
        #: Attempts after which an unknown message stays what it is; None where somebody can always tell.
        self.spent: int | None = None
        self.workers: list[int] = []
        self.world()

    def world(self, **manners: Any) -> None:
        """Begin the outside world anew with these manners."""
        self.outside.begin(Manners(**manners))
        self._record = Path(self.outside.state["record"])

    def plan(self, count: int, *, names: tuple[str, ...] = ("p",)) -> range:
        """More messages, due at once; their ids."""
        ids = range(self._planned + 1, self._planned + count + 1)
        plan_messages(self.engine, ids, names=names)
        self._planned += count
        return ids

    def worker(self, **told: Any) -> int:
        """One more worker; `told` says what differs about it."""
        pid = self._zygote.spawn(self.brief(**told))
        self.workers.append(pid)
        return pid

    def victim(self, how: Mapping[str, str], blow: str, **told: Any) -> int:
        """A worker that is struck once: by itself at `point`, or by the world, when its first mail meets `fault`."""
        mine = {"point": how["point"], "blow": blow} if "point" in how else {}
        pid = self.worker(held=True, **mine, **told)
        wait_for(lambda: stands_still(pid))
        self.outside.change(victims={str(pid): how.get("fault", "accept")})
        kill(pid, signal.SIGCONT)
        return pid

    def brief(self, **told: Any) -> Mapping[str, Any]:
        """What every worker of this fire is told."""
        ports = {"http": self.outside.http, "smtp": self.outside.smtp}
        return {"role": "drain", "database": self.url, "began": self._began} | ports | told

    def strike(self, pid: int) -> None:
        """Kill a worker, if it is still there."""
        self.kills += kill(pid)

    def storm(self, kills: int, *, workers: int = 4, seed: int = 1, mails: float = 3.0, **told: Any) -> None:
        """Strike random workers at random moments of their work, and begin new ones; there is always something to send.

        Moments are counted in mails that arrived, some `mails` from one blow to the next, so that a slow machine's
        workers are not all killed while they begin.
        """
        drawn = random.Random(seed)
        team = [self.worker(**told) for _one in range(workers)]
        for number in range(kills):
            enough = self.arrived + drawn.expovariate(1 / mails)
            wait_for(lambda enough=enough: self.arrived >= enough, 0.4)
            time.sleep(drawn.random() * 0.02)
            if number % 8 == 0 and states(self.engine)["planned"] < 80:
                self.plan(120)
            place = drawn.randrange(workers)
            self.strike(team[place])
            team[place] = self.worker(**told)

    @property
    def arrived(self) -> float:
        """How many mails the provider has, about: its record is a line for each."""
        return self._record.stat().st_size / _LINE

    def settle(self, seconds: float = 60.0, *, unknown_is_final: bool = False) -> Account:
        """Wait until nothing is open, end everybody, and draw up the account: a line of the table."""
        is_quiet = partial(self.is_quiet, unknown_is_final=unknown_is_final)
        # A thousand kills leave thousands in doubt: as long as they become fewer, they are waited for.
        left = -1
        while not wait_for(is_quiet, seconds) and left != (left := self._left()):
            continue
        self.stop()
        return self.account(unknown_is_final=unknown_is_final)

    def is_quiet(self, *, unknown_is_final: bool = False) -> bool:
        """Whether nothing is left to do."""
        now = states(self.engine, self.spent)
        return not any(now[state] for state in (_OPEN if unknown_is_final else (*_OPEN, "unknown")))

    def _left(self) -> int:
        now = states(self.engine, self.spent)
        return sum(now[state] for state in (*_OPEN, "unknown"))

    def stop(self) -> None:
        """End all workers."""
        self._zygote.end_all()

    def account(self, *, unknown_is_final: bool = False) -> Account:
        """The account as it stands."""
        said = self.outside.state
        tally = said["tally"]
        assert tally.get("invalid", 0) == 0, "a request broke the official description"
        assert tally.get("bad queries", 0) == 0, "a query is none that the log understands"
        made = settle_account(self.engine, self.accepted(), unknown_is_final=unknown_is_final)
        if self.counts:
            note(self._line(made, tally))
        return made

    def accepted(self) -> Sequence[Accepted]:
        """What the provider has accepted so far."""
        return read_record(self._record)

    def account_of(self, ids: range) -> Account:
        """The account of some messages alone."""
        return settle_account(self.engine, self.accepted(), only=ids)

    def _line(self, made: Account, tally: Mapping[str, int]) -> Line:
        plain = ("accept", "kills", "stops", "requests", "accepted", "asked", "connections", "news", "unchecked")
        return Line(
            suite=self.suite,
            database=self.database,
            messages=made.planned,
            kills=self.kills + tally.get("kills", 0),
            faults=sum(count for name, count in tally.items() if name not in plain),
            lost=len(made.lost),
            duplicated=len(made.duplicated),
            stuck=len(made.stuck) + len(made.denied),
            unchecked=tally.get("unchecked", 0),
        )

    def alive(self) -> int:
        """How many workers live."""
        return sum(lives(pid) for pid in self.workers)

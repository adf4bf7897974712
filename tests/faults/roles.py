"""What a forked process does: drains the outbox and reconciles it, over and over until it is told to end, or killed."""

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from leadflow.app import App, deliver_due
from leadflow.app.reconcile import reconcile_due
from leadflow.db import make_engine
from leadflow.email import child, frames
from leadflow.email.catalog import Email
from leadflow.email.compile import Base
from leadflow.email.frames import Shape
from leadflow.email.pool import Task
from leadflow.email.render import Rendered
from leadflow.errors import LeadflowError, TemplateError
from leadflow.esp.memory import MemoryProvider
from leadflow.esp.sendgrid import SendGridProvider
from leadflow.esp.sendgrid_log import SendGridLog
from leadflow.esp.smtp import SmtpProvider
from leadflow.pipeline.deliver import deliver_messages
from leadflow.playbook.model import Delivery, Outage
from leadflow.ports import Ports
from leadflow.settings import Settings
from leadflow.testing import MemorySales
from leadflow.types import EVERYONE, SECOND, Leads
from tests.build import NIGHT
from tests.faults.mutants import MUTANTS
from tests.faults.outbox import plan_messages
from tests.faults.points import Points, kill_self, stop_self
from tests.pipeline.mails import mail_playbook

Told = Mapping[str, Any]


class Here:
    """Renders in the worker itself: a victim that lives for a hundredth of a second has no time to start a child."""

    def __init__(self) -> None:
        self._texts: dict[str, Any] = {}

    def start(self) -> None:
        """Nothing is to be started."""

    def compile(self, email: Email, language: str, base: Base) -> Shape | TemplateError:
        """As the child does."""
        key, source = f"{email.name} {language}", frames.source_of(email, language, base)
        return frames.read_shape(memoryview(child._compiled(self._texts, key, source))[frames.HEAD :], key, source)

    async def submit(self, tasks: Sequence[Task]) -> list[Rendered | TemplateError]:
        """As the child does."""
        told = (
            [task.shape.key, task.facts, task.links, task.unsubscribe, task.preferences, task.confirm] for task in tasks
        )
        answers = (memoryview(child._rendered(self._texts, one))[frames.HEAD :] for one in told)
        return [
            frames.read_mail(answer, task.shape.html, task.shape.text)
            for answer, task in zip(answers, tasks, strict=True)
        ]


_HERE = Here()
#: Seconds are minutes here: what the product waits for, shortened alike and in the same order.
SHORT: Mapping[str, Any] = {
    "leadflow.email.pool.compiler": lambda: _HERE,
    "leadflow.pipeline.deliver_rows.LEASE": int(0.8 * SECOND),
    "leadflow.pipeline.deliver_supply.FRESH": 0.4,
    "leadflow.pipeline.breaker._PROBE": int(0.8 * SECOND),
    "leadflow.esp.smtp._TIMEOUT": 0.6,
    # Longer than the index is behind: a no that came too early is taken back by the second question.
    "leadflow.pipeline.reconcile_rows.APART": int(0.25 * SECOND),
    "leadflow.pipeline.reconcile_turns.TURN": int(0.1 * SECOND),
    "leadflow.pipeline.reconcile.CLIENT_TIMEOUT": int(0.6 * SECOND),
    "leadflow.pipeline.reconcile.FRESHNESS": int(0.4 * SECOND),
}
#: Of a client that waits for an answer; how far the log's index may be behind; longer than both and a freeze.
PATIENCE = 0.6
LAG = 0.15
GRACE = int(1.2 * SECOND)
#: Messages of a claim: a kill leaves few in doubt, and there are many moments to be killed in.
BATCH = 8
#: The driver's clock runs so much faster than the wall: five minutes of back-off in half a second.
PACE = 600


#: Of a zygote: an engine of each kind whose statements are compiled, with no connection.
_warm: dict[str, Engine] = {}


def warm_up(url: str) -> None:
    """Deliver one message of the database at `url` in the zygote: what that compiled, every worker begins with."""
    app, _points = open_world({"database": url, "http": 1})
    memory = replace(app, ports=replace(app.ports, email=MemoryProvider(), log=None))
    plan_messages(app.engine, [1])
    deliver_due(memory, NIGHT)
    reconcile_due(memory, NIGHT)
    app.engine.dispose()
    _warm[app.engine.dialect.name] = app.engine


def _engine(url: str) -> Engine:
    warm = _warm.get(make_url(url).get_backend_name())
    if warm is None:
        return make_engine(url)
    there, more = warm.dialect.create_connect_args(make_url(url))
    warm.url = make_url(url)

    def connect_there(_dialect: Any, _record: Any, words: list[Any], options: dict[str, Any]) -> None:
        words[:] = there
        options.update(more)

    event.listen(warm, "do_connect", connect_there)
    return warm


def set_constant(path: str, value: Any) -> None:
    """Give a constant of the product another value, wherever it was imported to."""
    place, _, name = path.rpartition(".")
    before = getattr(importlib.import_module(place), name)
    for module in [module for key, module in sys.modules.items() if key.startswith("leadflow.")]:
        if getattr(module, name, None) is before:
            setattr(module, name, value)


def open_world(told: Told, **parts: Any) -> tuple[App, Points]:
    """An app on the database and the outside world that a worker is told of."""
    for path, value in {**SHORT, **told.get("constants", {})}.items():
        set_constant(path, value)
    engine = _engine(told["database"])
    points = Points(engine)
    for name in told.get("mutants", ()):
        MUTANTS[name](engine, points)
    settings = Settings(workspace=Path("nowhere"), secret=SecretStr("k" * 32), simulated=True)
    given: dict[str, Any] = {"grace": GRACE, "outage": Outage(after=8, retry_after=SECOND // 4)}
    playbook = mail_playbook(delivery=Delivery(**given | told.get("delivery", {})), **parts)
    sales = MemorySales()
    email, log = _provider(told)
    return App(
        settings=settings, playbook=playbook, engine=engine, ports=Ports(email=email, alerts=sales, crm=sales, log=log)
    ), points


def _provider(told: Told) -> tuple[Any, Any]:
    pid = os.getpid()
    if told.get("provider") == "smtp":
        return SmtpProvider(f"smtp://{pid}:x@127.0.0.1:{told['smtp']}"), None
    url, key = f"http://127.0.0.1:{told['http']}", f"SG.{pid}"
    provider = SendGridProvider(url, key, patience=PATIENCE)
    log = SendGridLog(url, key)
    log.lag = timedelta(seconds=told.get("lag", LAG))
    return provider, log


def clock(told: Told) -> Callable[[], datetime]:
    """The driver's clock: it began at NIGHT when the test began, runs faster than the wall, and may be wrong."""
    began, step = told["began"], timedelta(seconds=told.get("steps", 0))
    wrong = timedelta(seconds=told.get("offset", 0))

    def now() -> datetime:
        spent = _real_time() - began
        # To and fro, once a second.
        return NIGHT + wrong + step * (int(spent) % 2) + timedelta(seconds=spent * told.get("pace", PACE))

    return now


_real_time = time.time


def _turn_clock(told: Told) -> None:
    """Everything in this process that asks for the time is told a wrong one."""
    wrong = told.get("offset", 0)
    time.time = lambda: _real_time() + wrong


def drain(told: Told) -> None:
    """Deliver, reconcile, and again, as the schedules do."""
    app, points = open_world(told)
    prepare(app, points, told)
    now, ended = clock(told), ends()
    scope = Leads(tuple(told["scope"])) if "scope" in told else EVERYONE
    while not ended():
        # A database that is full or away stops a run, not the schedule.
        with suppress(SQLAlchemyError, LeadflowError):
            points.during = ""
            deliver_due(app, now(), scope)
            points.during = "reconcile"
            if told.get("reconciles", True):
                reconcile_due(app, now())
        time.sleep(told.get("rest", 0.05))
    app.engine.dispose()


def prepare(app: App, points: Points, told: Told) -> None:
    """Arm what is to strike this process, then begin as told."""
    _arm(points, told)
    _wrap_provider(app, points)
    _turn_clock(told)
    # The handler runs in the thread that may have a transaction open: another one waits for its end.
    signal.signal(signal.SIGUSR2, lambda _number, _frame: Thread(target=points.stop, daemon=True).start())
    _take_so_many(told.get("batch", BATCH))
    if told.get("held"):
        stop_self()
    points.reach("begin")


def _take_so_many(batch: int) -> None:
    defaults = deliver_messages.__kwdefaults__
    assert defaults is not None
    defaults["batch"] = batch


def ends() -> Callable[[], bool]:
    """Whether this process was asked to end."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    return lambda: bool(asked)


def _arm(points: Points, told: Told) -> None:
    """Strike at the place and in the way told, once."""
    act = {"kill": kill_self, "stop": points.stop}.get(told.get("blow", ""))
    if act is not None:
        points.at(told["point"], act, time=told.get("time", 1))


def _wrap_provider(app: App, points: Points) -> None:
    """A worker can be struck right before it hands a mail over, and right after it heard the answer."""
    plain = app.ports.email.send

    async def send(mail: Any) -> str:
        points.reach("before-send")
        try:
            return await plain(mail)
        finally:
            points.reach("after-response")

    app.ports.email.send = send  # type: ignore[method-assign]

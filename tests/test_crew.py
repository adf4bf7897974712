"""Helpers of a large delivery: real processes at the same outbox, whose counts are part of ours."""

import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.app import App, ask_to_stop, deliver_due, draining_at_sigterm, phases
from leadflow.app.crew import Crew, crew_of
from leadflow.app.workspace import open_as
from leadflow.models import message
from leadflow.pipeline import deliver as deliver_module
from leadflow.pipeline import deliver_run
from leadflow.playbook.load import load_playbook
from leadflow.settings import Settings
from leadflow.types import EVERYONE, Leads
from tests.apps import an_app
from tests.build import NIGHT
from tests.esp.worlds import World, sendgrid_world
from tests.flows.machines import family, wait_for
from tests.pipeline.mails import add_message
from tests.soak import SOAK

_ROOT = Path(__file__).parents[1]
_MAILS = 250


@contextmanager
def due(mails: int, world: World, url: str, folder: Path) -> Iterator[App]:
    """A workspace with so many mails due, which two processes are to send to `world`."""
    for name in ("config", "segments", "templates", "lists", "pages"):
        shutil.copytree(_ROOT / name, folder / name)
    settings = Settings(
        workspace=folder,
        esp="sendgrid",
        sendgrid_url=world.url,
        sendgrid_api_key=SecretStr("SG.key"),
        database_url=url,
        secret=SecretStr("k" * 32),
        processes=2,
    )
    app = open_as(settings, load_playbook(folder))
    with Session(app.engine) as session, session.begin():
        for number in range(1, mails + 1):
            add_message(session, number, email="welcome", language="fr")
    yield app
    app.engine.dispose()


def asked_for(world: World) -> Counter[str]:
    return Counter(body["personalizations"][0]["custom_args"]["lf_message"] for body in world.bodies)


def states(app: App) -> Counter[str]:
    with Session(app.engine) as session:
        return Counter(session.scalars(select(message.c.state)))


@pytest.mark.slow
def test_two_processes_send_what_is_due_once_each(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver_module, "CREW_FROM", 100)
    with sendgrid_world() as world, due(_MAILS, world, database_url, tmp_path) as app:
        outcome = deliver_due(app, NIGHT)
        asked, ended = asked_for(world), states(app)
    assert (ended, len(asked), set(asked.values())) == ({"accepted": _MAILS}, _MAILS, {1})
    assert (outcome.read, outcome.counts["accepted"], outcome.counts["waiting"]) == (_MAILS, _MAILS, 0)


class Silent:
    """A provider that answers nobody before it is told to."""

    def __init__(self) -> None:
        self.speaks = threading.Event()

    def __call__(self, api: BaseHTTPRequestHandler) -> None:
        self.speaks.wait(60)
        api.send_response(202)
        api.send_header("Content-Length", "0")
        api.end_headers()


@pytest.mark.slow
@pytest.mark.parametrize("is_frozen", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_helper_that_does_not_end_is_killed_at_the_end_of_the_time_all_have(
    is_frozen: bool, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_frozen and not SOAK:
        pytest.skip("a frozen helper ends like one whose provider is silent: make soak")
    monkeypatch.setattr(deliver_module, "CREW_FROM", 100)
    monkeypatch.setattr(deliver_run, "DRAIN", 3.0)
    monkeypatch.setattr(phases, "crew_of", partial(crew_of, patience=3.0))
    provider, told, stops = Silent(), list[float](), list[float]()
    stop = Crew.stop

    def stop_and_note(crew: Crew) -> None:
        stops.append(time.monotonic())
        stop(crew)

    monkeypatch.setattr(Crew, "stop", stop_and_note)
    with sendgrid_world() as world, due(500, world, sqlite_url, tmp_path) as app, draining_at_sigterm():
        world.answer = provider
        # Whatever becomes of the files meanwhile, helpers work with what was read before.
        shutil.rmtree(tmp_path / "templates")

        def interrupt() -> None:
            wait_for(lambda: len(at_it(app)) == 2, 60)
            if is_frozen:
                os.kill(helpers()[-1], signal.SIGSTOP)
                provider.speaks.set()
            told.append(time.monotonic())
            ask_to_stop()

        interrupting = threading.Thread(target=interrupt)
        interrupting.start()
        deliver_due(app, NIGHT)
        took = time.monotonic() - told[0]
        provider.speaks.set()
        ended, asked = states(app), asked_for(world)
    assert stops[0] - told[0] < 2.9, "the helpers are told before the loop has drained"
    assert took >= 3.0, "they have their time"
    assert not helpers(), "none is left"
    assert (bool(ended["accepted"]), ended["sending"] > 0) == (is_frozen, True)
    assert ended["accepted"] <= len(asked) <= ended["accepted"] + ended["sending"] + ended["unknown"]
    assert (sum(ended.values()), set(asked.values())) == (500, {1})


def helpers() -> list[int]:
    """Those of this process, and not what renders for it."""
    return [pid for pid in family(os.getpid()) if b"crew_member" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def at_it(app: App) -> set[str]:
    """The runs that have mail on the wire."""
    with Session(app.engine) as session:
        owners = session.scalars(select(message.c.owner).where(message.c.state == "sending"))
        return {str(owner).partition(".")[0] for owner in owners}


def test_only_a_delivery_that_others_can_open_has_helpers(engine: Engine) -> None:
    assert crew_of(an_app(engine), NIGHT, EVERYONE) is None
    assert crew_of(an_app(engine), NIGHT, Leads((1,))) is None

"""The database itself dies in the middle of a run: PostgreSQL by SIGKILL, SQLite by a full disk or a power cut."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leadflow.db import make_engine
from leadflow.esp.memory import MemoryProvider
from leadflow.ports import Outgoing
from tests.conftest import make_tables
from tests.faults.conftest import Light
from tests.faults.fire import Fire
from tests.faults.manners import BRISK
from tests.faults.outbox import NOTHING, Account, states
from tests.faults.world import wait_for
from tests.pipeline.mails import add_message, deliver
from tests.postgres import Server, running_postgres


def half_is_sent(fire: Fire, share: int = 60) -> bool:
    return wait_for(lambda: states(fire.engine)["accepted"] >= share, 30)


def test_postgresql_killed_and_started_again_knows_all_it_was_told(light: Light) -> None:
    with running_postgres(durable=True) as server:
        make_tables(server.url("postgres"))
        with light("postgres", url=server.url("postgres")) as fire:
            fire.suite = "PostgreSQL killed"
            fire.world(mix=BRISK, seed=4)
            fire.plan(160)
            for _one in range(3):
                fire.worker()
            for share in (30, 80):
                assert half_is_sent(fire, share)
                server.crash()
                fire.kills += 1
                time.sleep(0.3)
                server.start()
            assert fire.settle().faults == NOTHING


class Falling(MemoryProvider):
    """Takes the mail, and the database is away when it says so."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server, self.fell = server, Event()

    async def send(self, mail: Outgoing) -> str:
        """Accept it."""
        taken = await super().send(mail)
        if len(self.sent) == 1:
            self._server.crash()
            self.fell.set()
        return taken


def test_answers_that_come_while_postgresql_is_away_are_written_down_once_it_is_back() -> None:
    with running_postgres(durable=True) as server:
        make_tables(server.url("postgres"))
        engine = make_engine(server.url("postgres"))
        with Session(engine) as session, session.begin():
            for number in range(1, 6):
                add_message(session, number)
        provider = Falling(server)

        def send() -> None:
            # Whoever asks for more meanwhile is refused; what came back is not lost with that.
            with suppress(DBAPIError):
                deliver(engine, provider)

        sending = Thread(target=send)
        sending.start()
        assert provider.fell.wait(30)
        time.sleep(0.5)
        server.start()
        sending.join()
        assert states(engine) == {"accepted": 5}
        engine.dispose()


@contextmanager
def mounted(source: str, folder: Path, *options: str) -> Iterator[Path]:
    """`source` mounted at `folder`; skips the test where nobody may mount."""
    folder.mkdir(exist_ok=True)
    said = subprocess.run(["mount", *options, source, str(folder)], capture_output=True, text=True, check=False)
    if said.returncode:
        pytest.skip(f"mounting is refused here: no disk was filled and no power was cut ({said.stderr.strip()[:80]})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"\0" * 4096)
    return path


def test_a_full_disk_stops_the_work_and_nothing_else(light: Light, sqlite_template: Path, tmp_path: Path) -> None:
    size = sqlite_template.stat().st_size + 8 * 2**20
    with mounted("tmpfs", tmp_path / "small", "-t", "tmpfs", "-o", f"size={size}") as small:
        shutil.copyfile(sqlite_template, small / "db")
        with light("sqlite", url=f"sqlite:///{small}/db") as fire:
            fire.suite = "disk full"
            fire.world(mix=BRISK, seed=5)
            fire.plan(200)
            for _one in range(2):
                fire.worker()
            assert half_is_sent(fire)
            filler = fill(small)
            before = states(fire.engine)["accepted"]
            time.sleep(1.5)
            # What was on the wire came in; nothing more could be intended, so nothing more was sent.
            assert states(fire.engine)["accepted"] - before <= 2 * 2 * 8
            assert not fire.is_quiet()
            filler.unlink()
            assert fire.settle().faults == NOTHING


@contextmanager
def disk(image: Path, folder: Path) -> Iterator[Path]:
    """The file system in `image`, which writes by itself only what it is made to."""
    with mounted(str(image), folder, "-o", "loop,commit=300"):
        yield folder


def cut_the_power(light: Light, template: Path, folder: Path, *mutants: str) -> Account:
    """Send, cut the power in the middle, go on with what the disk had: the account at the end.

    The disk is a file: what the file system has given it is what a disk would hold. A copy of that file, taken while
    everything is mounted, is the disk after the cut; mounting it is the next start of the machine.
    """
    folder.mkdir()
    image, after = folder / "image", folder / "after"
    image.write_bytes(b"")
    os.truncate(image, 48 * 2**20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    place = folder / "disk"
    with light("sqlite", url=f"sqlite:///{place}/db") as fire:
        fire.suite, fire.counts = "power cut", not mutants
        with disk(image, place):
            shutil.copyfile(template, place / "db")
            fire.plan(120)
            os.sync()
            for _one in range(2):
                fire.worker(mutants=mutants)
            assert half_is_sent(fire)
            fire.stop()
            fire.kills += 2
            shutil.copyfile(image, after)
        with disk(after, place):
            fire.worker(mutants=mutants)
            account = fire.settle()
    return account


@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="no mkfs.ext4: no power was cut")
def test_a_power_cut_takes_nothing_that_was_committed(light: Light, sqlite_template: Path, tmp_path: Path) -> None:
    account = cut_the_power(light, sqlite_template, tmp_path / "disk")
    assert account.faults == NOTHING


@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="no mkfs.ext4: no power was cut")
def test_the_mutant_that_does_not_wait_for_the_disk_repeats_mail_after_a_power_cut(
    light: Light, sqlite_template: Path, tmp_path: Path
) -> None:
    account = cut_the_power(light, sqlite_template, tmp_path / "disk", "synchronous-normal")
    assert len(account.duplicated) > 0

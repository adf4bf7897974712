"""A workspace, opened: its settings, playbook and database, and the adapters they name."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_ISREG
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from leadflow.app.turns import turns_at
from leadflow.crm.apprise_channel import ApprisePort
from leadflow.crm.file import FileCrm
from leadflow.db import make_engine, reading
from leadflow.errors import SettingsError
from leadflow.esp import open_log, open_provider
from leadflow.pipeline.reconcile import refuse_short_grace
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.ports import Ports
from leadflow.settings import Settings, load_settings
from leadflow.text import _

#: What a playbook is read from, below the workspace.
SOURCES = ("config", "segments", "templates", "lists", "pages")
#: The adapters that reach nobody: a simulated workspace may use no other.
HARMLESS = ("file", "memory")

#: Path, modification time and size of every file of a playbook: equal prints, equal files.
Print = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What every driver works with."""

    settings: Settings
    playbook: Playbook
    engine: Engine
    ports: Ports
    #: Of the files the playbook was read from.
    seen: Print = field(default=frozenset(), repr=False)

    @property
    def reader(self) -> Engine:
        """The database for those who only read, and wait for nobody who writes."""
        return reading(self.engine)

    @property
    def office(self) -> ZoneInfo:
        """The zone a bare date is read in."""
        return ZoneInfo(self.playbook.office.zone)


def open_app(workspace: Path | None = None, *, ports: Ports | None = None) -> App:
    """Read settings and playbook, bring the database up to date, bind the adapters.

    Raises PlaybookError with every fault, SettingsError for a setting that cannot be, a grace too short among them.
    """
    # What it imports takes a tenth of a second, and the helpers of a delivery can do without.
    from leadflow.migrations import upgrade

    settings = load_settings(workspace)
    refuse_real_mail(settings)
    found = print_of(settings.workspace)
    playbook = load_playbook(settings.workspace)
    if not settings.database_url:
        settings.var.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.url)
    upgrade(engine)
    bound = ports or _open_ports(settings, engine)
    refuse_short_grace(playbook, bound.log)
    return App(settings=settings, playbook=playbook, engine=engine, ports=bound, seen=found)


def refuse_real_mail(settings: Settings) -> None:
    """SettingsError where a simulated workspace would reach somebody."""
    if settings.simulated and settings.esp not in HARMLESS:
        raise SettingsError(_("a simulated workspace mails nobody: set LEADFLOW_ESP to file or memory"))


def open_as(settings: Settings, playbook: Playbook) -> App:
    """A workspace that another process has opened already, with its settings and its playbook."""
    engine = make_engine(settings.url)
    return App(settings=settings, playbook=playbook, engine=engine, ports=_open_ports(settings, engine))


def refresh(app: App) -> App:
    """`app` with today's playbook: a process that lives for weeks must see what was merged this morning."""
    found = print_of(app.settings.workspace)
    if found == app.seen:
        return app
    return replace(app, playbook=load_playbook(app.settings.workspace), seen=found)


def _open_ports(settings: Settings, engine: Engine) -> Ports:
    return Ports(
        email=open_provider(settings.esp, settings),
        alerts=ApprisePort(settings.var / "alerts", environment=os.environ),
        crm=FileCrm(settings.var / "handovers"),
        log=open_log(settings.esp, settings, turns_at(engine, settings.esp)),
    )


def print_of(workspace: Path) -> Print:
    """Of the files of `workspace` as they are now."""
    return frozenset(_files(workspace))


def _files(workspace: Path) -> Iterator[tuple[str, int, int]]:
    for source in SOURCES:
        for path in (workspace / source).rglob("*"):
            # An editor that saves by renaming takes a file away for a moment.
            with suppress(FileNotFoundError):
                found = path.stat()
                if S_ISREG(found.st_mode):
                    yield str(path), found.st_mtime_ns, found.st_size

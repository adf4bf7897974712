"""What a machine decides, from LEADFLOW_* variables and `.env` in the workspace: places, keys, adapters."""

import secrets
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from leadflow.errors import SettingsError
from leadflow.text import _

EspName = Literal["file", "smtp", "sendgrid", "memory"]


def _refuse_wrong_url(url: str) -> str:
    if url and _wrong_in_url(url):
        raise ValueError
    return url


def _wrong_in_url(url: str) -> str | None:
    """What is wrong with a database's address, in words that quote nothing of it: it may hold a password."""
    # Not before an address is given: most commands are there without it.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if not url.startswith(("sqlite://", "postgresql://", "postgresql+psycopg://")):
        return _("neither SQLite nor PostgreSQL with psycopg")
    try:
        found = make_url(url)
    except ArgumentError:
        return _("cannot be read")
    except ValueError:
        return _("the port is no number")
    if found.port is not None and not 0 < found.port < 65_536:
        return _("the port is no number from 1 to 65535")
    if found.get_backend_name() == "sqlite":
        return _("names no file after three slashes") if found.host or not found.database else None
    named = found.database or found.query.keys() & {"dbname", "service"}
    return None if named else _("names no database")


class Settings(BaseSettings):
    """Settings of one workspace; each field is the variable LEADFLOW_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="LEADFLOW_", extra="ignore")

    #: Folder that holds config/, segments/ and templates/.
    workspace: Path = Path()
    #: SQLAlchemy URL; empty means SQLite in var/leadflow.db of the workspace.
    database_url: Annotated[str, AfterValidator(_refuse_wrong_url)] = ""
    #: Which file of leadflow/esp sends.
    esp: EspName = "file"
    #: Signs links and keys the address hashes; made once in var/secret when absent.
    secret: SecretStr = SecretStr("")
    #: Where the public door of `leadflow serve` is reached from outside.
    public_url: str = "http://127.0.0.1:8380"
    #: Other names the door answers to, comma-separated; always its public one and those of this machine alone.
    hosts: str = ""
    smtp_url: str = "smtp://127.0.0.1:25"
    sendgrid_api_key: SecretStr = SecretStr("")
    #: The provider's address; tests point it at a local server.
    sendgrid_url: str = "https://api.sendgrid.com"
    #: Base64 DER public keys of the event webhook, comma-separated; two allow rotation.
    sendgrid_webhook_keys: str = ""
    #: Names of the sender's DKIM keys, comma-separated, for `leadflow doctor`; empty with SendGrid means s1,s2.
    dkim_selectors: str = ""
    #: A Maildir or an mbox file of mails that came back, which upkeep reads; relative to the workspace.
    bounces: str = ""
    #: The secret in the addresses that SendGrid posts its events and answers to; nobody may while it is empty.
    hook_key: SecretStr = SecretStr("")
    #: Requests that one API key may make a minute; 0: as many as it likes.
    api_per_minute: int = 600
    #: Apprise address that hears of a night that failed, crashed, is late or waits for approval.
    ops_alert: SecretStr = SecretStr("")
    #: Processes that a delivery of thousands of mails uses; 0: one a core.
    processes: int = 0
    #: What runs are tagged with, `env:…`: local, staging, production.
    env: str = "local"
    #: A simulated workspace may run sweeps in the future (file and memory adapters only).
    simulated: bool = False

    @property
    def var(self) -> Path:
        """Where leadflow keeps its own state inside the workspace."""
        return self.workspace / "var"

    @property
    def bounces_folder(self) -> Path | None:
        """Where mails that came back are found, if anywhere."""
        return self.workspace / self.bounces if self.bounces else None

    @property
    def outbox(self) -> Path:
        """Where the file adapter writes mails."""
        return self.workspace / "outbox"

    @property
    def url(self) -> str:
        """The database's URL, the embedded default when none is set."""
        return self.database_url or f"sqlite:///{(self.var / 'leadflow.db').resolve()}"

    def key(self) -> str:
        """The workspace's secret; created on first use with mode 600 in var/secret."""
        if value := self.secret.get_secret_value():
            return value
        path = self.var / "secret"
        if not path.exists():
            self.var.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text().strip()


def load_settings(workspace: Path | None = None) -> Settings:
    """Settings for `workspace` (default: LEADFLOW_WORKSPACE, else the current folder), its `.env` read.

    SettingsError says which variable cannot be as it is, and what to write instead.
    """
    try:
        place = workspace or Settings().workspace
        settings = Settings(_env_file=place / ".env")
    except ValidationError as error:
        # Chained, a traceback would quote what was read.
        raise SettingsError("\n".join(_wrong(found) for found in error.errors())) from None
    return settings.model_copy(update={"workspace": place})


def _wrong(found: ErrorDetails) -> str:
    name = str(found["loc"][0])
    if name == "database_url":
        # Never said as it is: it may hold a password.
        words = _(
            "LEADFLOW_DATABASE_URL: {wrong}; write sqlite:///FILE or "
            "postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE (a variable, or a line of .env in the workspace)"
        )
        return words.format(wrong=_wrong_in_url(found["input"]))
    esps = _("one of {words}").format(words=", ".join(get_args(EspName)))
    rights: dict[Any, str] = {EspName: esps, int: _("a whole number"), bool: _("true or false")}
    return _("LEADFLOW_{name} is {value}: write {right} (a variable, or a line of .env in the workspace)").format(
        name=name.upper(),
        value=found["input"] or '""',
        right=rights.get(Settings.model_fields[name].annotation, found["msg"]),
    )

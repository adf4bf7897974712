"""Looks a running workspace over: its clocks and disks, what waits and why, what comes from outside, its DNS."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from leadflow.app.doctor_dns import SENDGRID_SELECTORS, Resolve, dns_findings, txt_records
from leadflow.app.workspace import HARMLESS, App
from leadflow.ask.finding import Finding, ok, wrong
from leadflow.ask.health import Looked, clocks, durability, findings
from leadflow.errors import BusyError, ProviderError
from leadflow.ports import Asked
from leadflow.text import _


def doctor(app: App, now: datetime, *, dns: bool | None = None, resolve: Resolve | None = None) -> Sequence[Finding]:
    """Everything looked at, wrong or not. DNS is asked where mail leaves the machine, or as `dns` says."""
    asks = app.settings.esp not in HARMLESS if dns is None else dns
    with Session(app.engine) as session:
        looked = Looked(
            session=session,
            playbook=app.playbook,
            now=now,
            provider=app.settings.esp,
            has_news=app.settings.esp == "sendgrid",
        )
        found = [clocks(session, datetime.now(UTC)), durability(session), *findings(looked)]
    # Not in that transaction: whoever asks the log takes a turn in one of his own, and SQLite has one at a time.
    return [*found, *_doors(app), *_log(app), *(_names(app, resolve or txt_records) if asks else ())]


def _doors(app: App) -> Iterator[Finding]:
    """What has to be set before mail leaves this machine."""
    settings = app.settings
    if settings.esp in HARMLESS:
        yield ok("settings", _("mail stays on this machine (LEADFLOW_ESP={esp})").format(esp=settings.esp))
        return
    url = urlsplit(settings.public_url)
    if url.scheme != "https" or url.hostname in ("localhost", "127.0.0.1"):
        told = _("links of mails lead to {url}, where readers cannot go").format(url=settings.public_url)
        do = _("set LEADFLOW_PUBLIC_URL to where leadflow serve is reached over https")
        yield wrong("settings", told, do)
    if settings.esp == "sendgrid" and not settings.sendgrid_webhook_keys.strip():
        told = _("events of SendGrid are refused: bounces and complaints are not heard")
        do = _("set LEADFLOW_SENDGRID_WEBHOOK_KEYS to the public key of its signed event webhook")
        yield wrong("webhook", told, do)
    if settings.esp == "sendgrid" and not settings.hook_key.get_secret_value():
        told = _("the addresses that SendGrid posts events and answers to have no secret: whatever comes is refused")
        yield wrong("webhook", told, _("set LEADFLOW_HOOK_KEY to a long random word, which ends those addresses"))


def _log(app: App) -> Iterator[Finding]:
    """Whether the provider's log answers; it is asked about a mail to nobody."""
    if app.ports.log is None:
        return
    nobody = Asked(attempt_id="doctor", to="doctor@leadflow.invalid", intent_at=datetime.now(UTC))
    try:
        app.ports.log.find([nobody])
    except BusyError:
        yield ok("log", _("the provider's log has been asked enough this minute"))
    except ProviderError as error:
        told = _("the provider's log cannot be asked ({error})")
        do = _(
            "look at the network and its status page, and give our key the right to read email logs: until then nobody "
            "settles a mail without an answer"
        )
        yield wrong("log", told.format(error=error), do)
    else:
        yield ok("log", _("the provider's log answers"))


def _names(app: App, resolve: Resolve) -> Iterator[Finding]:
    domains = sorted({sender.address.rpartition("@")[2].lower() for sender in app.playbook.senders.values()})
    sendgrid = app.settings.esp == "sendgrid"
    said = tuple(word.strip() for word in app.settings.dkim_selectors.split(",") if word.strip())
    selectors = said or (SENDGRID_SELECTORS if sendgrid else ())
    return dns_findings(domains, selectors, resolve, signed_by_provider=sendgrid)

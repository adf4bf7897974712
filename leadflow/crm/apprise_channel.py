"""`alert: $SALES_INES` tells a salesperson by whatever apprise URL that variable holds; without one, by a file."""

import logging
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from leadflow.crm import write_whole
from leadflow.errors import RefusedError, RetryableError
from leadflow.ports import Alert

# Apprise writes the addresses it tells, and what it told them, into its log.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


class ApprisePort:
    """Alerts by URL (`mailto://…`, `slack://…`, `json://…`); var/alerts/000147-ines.md where there is none."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment

    def tell(self, alert: Alert) -> None:
        """Tell one salesperson; RefusedError for an address nobody can read, RetryableError when nobody was told."""
        url = self._resolve(alert.url)
        if url:
            _notify(url, alert)
        else:
            self._write(alert)

    def _resolve(self, url: str) -> str:
        return self._environment.get(url.removeprefix("$"), "") if url.startswith("$") else url

    def _write(self, alert: Alert) -> None:
        text = f"# {alert.title}\n\n{alert.body}\n"
        name = f"{alert.escalation_id:06}-{_slug(alert.to)}"
        try:
            write_whole(_free(self._folder, name, text), text)
        except OSError as error:
            raise RetryableError(f"alert {alert.escalation_id} was not written: {error.strerror}") from error


def _notify(url: str, alert: Alert) -> None:
    # A second to import, and most alerts are files or none.
    import apprise
    from apprise.plugins.email.base import NotifyEmail

    told = apprise.Apprise()
    if not told.add(url):
        raise RefusedError(f"alert {alert.escalation_id}: its alert address is not one that apprise knows")
    # Others that read HTML know a few tags only: to them goes the text.
    page = alert.html if isinstance(told[0], NotifyEmail) else ""
    form = apprise.NotifyFormat.MARKDOWN if alert.format == "markdown" else apprise.NotifyFormat.TEXT
    if not told.notify(
        title=alert.title, body=page or alert.body, body_format=apprise.NotifyFormat.HTML if page else form
    ):
        raise RetryableError(f"alert {alert.escalation_id} reached nobody")


def _free(folder: Path, name: str, text: str) -> Path:
    """The first of name.md, name-2.md … that is free, or holds this very text already."""
    path, n = folder / f"{name}.md", 1
    while path.exists() and path.read_text(encoding="utf-8") != text:
        n += 1
        path = folder / f"{name}-{n}.md"
    return path


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "sales"

"""Previews as files for a pull request: HTML as it would be sent, pictures in both widths, a page with all of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from leadflow.app.preview import Reading, Workbench, email_called
from leadflow.app.preview_camera import Camera
from leadflow.app.preview_readers import Kind
from leadflow.email.variants import ORIGINAL, shares_of
from leadflow.errors import UsageError
from leadflow.playbook.model import Playbook
from leadflow.text import _, current_language, ngettext

#: Of a mail on a desk and on a phone, in CSS pixels.
WIDTHS = {"desktop": 700, "phone": 375}
INDEX = "index.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One email in one language for one lead, on the disk; paths are relative to the folder."""

    email: str
    language: str
    variant: str
    lead: str
    subject: str = ""
    refused: str = ""
    faults: tuple[str, ...] = ()
    #: '' where this lead would not get the mail.
    html: str = ""
    #: (desktop or phone, file).
    pictures: tuple[tuple[str, str], ...] = ()


#: Email, language, variant ('' for the original), lead.
Wanted = tuple[str, str, str, str]


def wanted(reading: Reading, emails: Sequence[str], languages: Sequence[str], leads: Sequence[str]) -> list[Wanted]:
    """Which previews, where none named means all, of leads the made-up ones; UsageError for one there is none of."""
    playbook = reading.sound()
    names = [email_called(playbook, name).name for name in emails] or sorted(playbook.emails)
    known = {language for name in names for language in playbook.emails[name].bodies}
    for language in languages:
        if language not in known:
            told = _("no email here is written in {language}. One of: {languages}")
            raise UsageError(told.format(language=language, languages=", ".join(sorted(known))))
    return [
        (name, language, variant, lead)
        for name in names
        for language in sorted(playbook.emails[name].bodies)
        if not languages or language in languages
        for variant in shares_of(playbook.emails[name])
        for lead in leads or [*Kind]
    ]


def write_previews(
    bench: Workbench,
    reading: Reading,
    now: datetime,
    which: Sequence[Wanted],
    folder: Path,
    camera: Camera | None,
    *,
    done: Callable[[], None] = lambda: None,
) -> list[Shot]:
    """Write `which` into `folder` and its index; `done` hears of each, `camera` may be missing."""
    playbook = reading.sound()
    folder.mkdir(parents=True, exist_ok=True)
    shots = []
    for one in which:
        shots.append(_shot(bench, reading, now, one, folder, camera))
        done()
    (folder / INDEX).write_text(_index(shots, playbook), encoding="utf-8")
    return shots


def _shot(bench: Workbench, reading: Reading, now: datetime, one: Wanted, folder: Path, camera: Camera | None) -> Shot:
    name, language, variant, lead = one
    shown = bench.preview(reading, name, now, language=language, lead=lead, variant=variant or ORIGINAL)
    called = shown.reader.called
    told = tuple(map(str, shown.findings))
    if shown.rendered is None:
        return Shot(email=name, language=language, variant=variant, lead=called, refused=shown.refused, faults=told)
    (folder / name).mkdir(exist_ok=True)
    stem = f"{name}/{'-'.join(filter(None, (language, variant, called)))}"
    # As bytes: what is written is what is sent, line ends and all.
    (folder / f"{stem}.html").write_bytes(shown.rendered.html.encode())
    pictures = tuple(_pictures(folder, stem, shown.rendered.html, camera)) if camera else ()
    return Shot(
        email=name,
        language=language,
        variant=variant,
        lead=called,
        subject=shown.rendered.subject,
        faults=told,
        html=f"{stem}.html",
        pictures=pictures,
    )


def _pictures(folder: Path, stem: str, html: str, camera: Camera) -> Iterator[tuple[str, str]]:
    for width, pixels in WIDTHS.items():
        file = f"{stem}.{width}.png"
        (folder / file).write_bytes(camera.take(html, width=pixels))
        yield width, file


def _index(shots: Sequence[Shot], playbook: Playbook) -> str:
    source = files("leadflow.app").joinpath("preview_index.html").read_text(encoding="utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined).from_string(source)
    told = ngettext("{n} mail, playbook {version}", "{n} mails, playbook {version}", len(shots))
    return page.render(
        ui=current_language(),
        title=_("Emails as they would be sent"),
        summary=told.format(n=len(shots), version=playbook.short),
        mails=[(name, list(group)) for name, group in groupby(shots, key=lambda shot: shot.email)],
    )

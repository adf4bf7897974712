"""What stands behind a form: a page, or a file at `/d/{word}`, for whoever filled it in and for some days."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse

from leadflow.app import App
from leadflow.errors import LinkError
from leadflow.links import read_download
from leadflow.playbook.model import Form
from leadflow.text import _, speaking
from leadflow.types import micros
from leadflow.web.form_page import language_for, prefix_of
from leadflow.web.state import Opened

router = APIRouter()


def behind_form(app: App, form: Form, language: str, word: str, now: int) -> list[tuple[str, str]]:
    """(label, address) of what a form opens to whoever has its word; nothing to anybody else."""
    if not opens(app, form.name, word, now):
        return []
    asked = urlencode({"lang": language, "got": word})
    found = [
        (page.texts.get(language, next(iter(page.texts.values()))).title, f"{prefix_of(app)}/p/{page.name}?{asked}")
        for page in app.playbook.pages.values()
        if page.behind == form.name
    ]
    if form.download:
        with speaking(language):
            found.append((_("Download"), f"{prefix_of(app)}/d/{word}?{urlencode({'lang': language})}"))
    return found


def opens(app: App, form: str, word: str, now: int) -> bool:
    """Whether `word` opens what stands behind `form`."""
    try:
        return read_download(app.settings.key(), word, now) == form
    except LinkError:
        return False


@router.api_route("/d/{word}", methods=["GET", "HEAD"])
def download(request: Request, word: str, app: Opened) -> Response:
    """The file of a form."""
    try:
        form = app.playbook.forms.get(read_download(app.settings.key(), word, micros(datetime.now(UTC))))
    except LinkError:
        raise HTTPException(404) from None
    files: Mapping[str, str] = form.download if form else {}
    path = files.get(language_for(request, app, request.query_params.get("lang")))
    folder = (app.settings.workspace / "downloads").resolve()
    place = (app.settings.workspace / path).resolve() if path else folder
    if not place.is_relative_to(folder) or not place.is_file():
        raise HTTPException(404)
    return FileResponse(place, filename=place.name)

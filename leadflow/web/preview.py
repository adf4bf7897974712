"""The site of `leadflow preview`, for this machine alone: a page to choose on, a mail in a frame that runs nothing."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from leadflow.app.preview import Preview, Reading, Workbench
from leadflow.app.preview_readers import real_lead
from leadflow.ask.person import code_of
from leadflow.errors import UsageError
from leadflow.playbook.model import Playbook
from leadflow.settings import Settings
from leadflow.text import LANGUAGES, current_language, set_language
from leadflow.web.preview_page import Choice, in_the_dark, page_of

logger = logging.getLogger("leadflow.web")
router = APIRouter()

#: A page of another site that calls itself by our address has another name: it is not answered.
HOSTS = ["127.0.0.1", "localhost"]
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Of the mail: whatever a template holds, nothing runs, nothing is asked of anybody but pictures.
_MAIL = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; frame-ancestors 'self'"
)
_IMAGES = {"on": "https: data:", "off": "'none'"}


def create_preview(settings: Settings) -> FastAPI:
    """The ASGI application over the files of a workspace; nothing in it writes."""
    bench = Workbench(settings)

    @asynccontextmanager
    async def while_open(_site: FastAPI) -> AsyncIterator[None]:
        with bench:
            yield

    site = FastAPI(title="leadflow preview", docs_url=None, redoc_url=None, openapi_url=None, lifespan=while_open)
    site.state.bench, site.state.last = bench, None
    site.include_router(router)
    site.middleware("http")(_with_headers)
    site.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    return site


def _chosen(request: Request) -> Choice:
    """What the address says; whatever it says of no known kind is as usual."""
    given = {name: request.query_params.get(name, "")[:300] for name in Choice.__dataclass_fields__}
    choice = Choice(**{name: value for name, value in given.items() if value})
    return replace(choice, ui=choice.ui if given["ui"] in LANGUAGES else current_language())


_Chosen = Annotated[Choice, Depends(_chosen)]


@router.get("/")
def page(request: Request, choice: _Chosen) -> Response:
    """The page; an address that was typed is answered with that of the lead's number, which may be shared."""
    set_language(choice.ui)
    who, wrong = request.query_params.get("who", "").strip() or (choice.lead if "@" in choice.lead else ""), ""
    bench: Workbench = request.app.state.bench
    if who:
        try:
            return RedirectResponse(
                choice.url(lead=code_of(real_lead(bench.settings, who)), language="", variant=""), 303
            )
        except UsageError as error:
            wrong = str(error)
    reading = bench.read()
    last = request.app.state.last = reading.playbook or request.app.state.last
    choice = replace(choice, email=choice.email or _first(last))
    shown = None
    if reading.playbook is not None and not wrong:
        try:
            shown = _shown(bench, reading, choice)
        except UsageError as error:
            wrong = str(error)
    return HTMLResponse(page_of(reading, choice, last, shown, wrong), status_code=404 if wrong else 200)


@router.get("/mail")
def mail(request: Request, choice: _Chosen) -> Response:
    """The bytes that would be sent, links apart; in the dark, with the rules for the dark switched on."""
    bench: Workbench = request.app.state.bench
    reading = bench.read()
    headers = {"Content-Security-Policy": _MAIL.format(images=_IMAGES.get(choice.images, "'none'"))}
    try:
        shown = _shown(bench, reading, choice) if reading.playbook is not None else None
    except UsageError:
        shown = None
    if shown is None or shown.rendered is None:
        return PlainTextResponse("", status_code=404, headers=headers)
    html = shown.rendered.html
    return HTMLResponse(in_the_dark(html) if choice.light == "dark" else html, headers=headers)


@router.get("/print")
def seen(request: Request) -> Response:
    """Changes when a file of the workspace does: the page asks four times a second."""
    return PlainTextResponse(str(hash(request.app.state.bench.print())))


@router.get("/preview.css")
def style() -> Response:
    """The style of the page."""
    return _file("preview.css", "text/css")


@router.get("/preview.js")
def script() -> Response:
    """The few lines that show a choice in place, and look for saved files."""
    return _file("preview.js", "text/javascript")


def _file(name: str, kind: str) -> Response:
    content = files("leadflow.web").joinpath("templates", name).read_bytes()
    return Response(content, media_type=kind)


def _shown(bench: Workbench, reading: Reading, choice: Choice) -> Preview:
    return bench.preview(
        reading,
        choice.email,
        datetime.now(UTC),
        language=choice.language or None,
        lead=choice.lead,
        variant=choice.variant or None,
    )


def _first(playbook: Playbook | None) -> str:
    names = sorted(playbook.emails) if playbook else []
    return "welcome" if "welcome" in names else next(iter(names), "")


async def _with_headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        response = await answer(request)
    except Exception as error:
        # Its text may quote a person.
        logger.error("%s at %s", type(error).__name__, "/" + request.url.path.split("/")[1])
        response = PlainTextResponse("internal error", status_code=500)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response

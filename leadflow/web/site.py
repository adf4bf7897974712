"""The site: its routes, what an error looks like, and the headers every answer carries."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadflow.app import App
from leadflow.settings import Settings
from leadflow.web import (
    answers,
    api,
    api_docs,
    behind,
    clicks,
    confirm,
    embed,
    forms,
    health,
    inbound,
    landing,
    meeting,
    opened,
    preferences,
    social,
    track,
    unsubscribe,
    webhooks,
)
from leadflow.web.keeping import Keeping
from leadflow.web.lane import Lane
from leadflow.web.pages import language_of, say

logger = logging.getLogger("leadflow.web")

HEADERS = {
    # What is no page may do nothing; a page says for itself what it may.
    "Content-Security-Policy": "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # A signed address must not travel to the page a click leads to.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
DOORS = tuple(
    door.router
    for door in (
        *(unsubscribe, confirm, preferences, clicks, opened, answers, meeting),
        *(webhooks, inbound, api, api_docs, track, social, health),
        *(embed, forms, behind, landing),
    )
)
#: Answered with a page for people; elsewhere programs ask.
FOR_PEOPLE = ("/u/", "/c/", "/h/", "/confirm/", "/preferences/")
#: The same, where visitors come from anywhere and no mail was before.
FOR_VISITORS = ("/f/", "/forms/", "/p/", "/d/")


def create_site(app: App) -> FastAPI:
    """The ASGI application over an opened workspace."""
    lane = Lane(app)

    @asynccontextmanager
    async def open_for(_site: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(lane.close)

    site = FastAPI(title="leadflow", docs_url=None, redoc_url=None, openapi_url=None, lifespan=open_for)
    site.state.app, site.state.lane = app, lane
    site.state.keeping, site.state.allowances = Keeping(app.engine), {}
    for router in DOORS:
        site.include_router(router)
    site.add_middleware(TrustedHostMiddleware, allowed_hosts=_names(app.settings), www_redirect=False)
    site.add_middleware(_Answers)
    site.exception_handler(HTTPException)(_refuse)
    site.exception_handler(RequestValidationError)(_not_understood)
    return site


def _names(settings: Settings) -> list[str]:
    """The host names a request may ask for: any other points at this machine without our knowing."""
    public = urlsplit(settings.public_url).hostname or ""
    others = (name.strip() for name in settings.hosts.split(","))
    return [name for name in (public, *others, "localhost", "127.0.0.1", "[::1]") if name]


class _Answers:
    """Every answer with its headers, and one that says nothing where the site fails.

    Written against ASGI itself: Starlette's own kind of middleware runs each request in tasks of its own, which took
    longer than most answers do.
    """

    def __init__(self, site: ASGIApp) -> None:
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._site(scope, receive, send)
            return
        has_begun = False

        async def tell(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                _add_headers(MutableHeaders(scope=message), scope["app"].state.app.settings)
            await send(message)

        try:
            await self._site(scope, receive, tell)
        except Exception as error:
            # Its text may quote a person: the kind and the door are enough to look further.
            logger.error("%s at %s", type(error).__name__, "/" + scope["path"].split("/")[1])
            if not has_begun:
                await JSONResponse({"error": "internal error"}, status_code=500)(scope, receive, tell)


def _add_headers(headers: MutableHeaders, settings: Settings) -> None:
    # X-Frame-Options knows no list of sites: where the policy has one, it says nothing.
    is_framed = "frame-ancestors 'self'" in headers.get("Content-Security-Policy", "")
    for name, value in HEADERS.items():
        if not (is_framed and name == "X-Frame-Options"):
            headers.setdefault(name, value)
    if settings.public_url.startswith("https://"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    if request.url.path.startswith(FOR_PEOPLE):
        language = language_of(request, None)
        page = "not_found" if error.status_code == 404 else "not_understood"
        return say(request, page, language, status=error.status_code)
    if request.url.path == "/" or request.url.path.startswith(FOR_VISITORS):
        page = "no_page" if error.status_code == 404 else "not_sent"
        return say(request, page, language_of(request, None), status=error.status_code)
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


async def _not_understood(_request: Request, _error: Exception) -> Response:
    # The default answer would repeat what was sent.
    return JSONResponse({"error": "not understood"}, status_code=422)

"""The site: its routes, what an error looks like, and the headers every answer carries."""

import logging
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from leadflow.app import App
from leadflow.web import answers, clicks, events, health, inbound, unsubscribe, webhooks
from leadflow.web.pages import CONTENT_SECURITY_POLICY, language_of, say

logger = logging.getLogger("leadflow.web")

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # A signed address must not travel to the page a click leads to.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
#: Answered with a page for people; elsewhere programs ask.
FOR_PEOPLE = ("/u/", "/c/", "/h/")


def create_site(app: App) -> FastAPI:
    """The ASGI application over an opened workspace."""
    site = FastAPI(title="leadflow", docs_url=None, redoc_url=None, openapi_url=None)
    site.state.app = app
    for door in (unsubscribe, clicks, answers, webhooks, inbound, events, health):
        site.include_router(door.router)
    site.middleware("http")(_with_headers)
    site.exception_handler(HTTPException)(_refuse)
    site.exception_handler(RequestValidationError)(_not_understood)
    return site


async def _with_headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        response = await answer(request)
    except Exception as error:
        # Its text may quote a person: the kind and the door are enough to look further.
        logger.error("%s at %s", type(error).__name__, "/" + request.url.path.split("/")[1])
        response = JSONResponse({"error": "internal error"}, status_code=500)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    if request.url.path.startswith(FOR_PEOPLE):
        language = language_of(request, None)
        page = "not_found" if error.status_code == 404 else "not_understood"
        return say(request, page, language, status=error.status_code)
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


async def _not_understood(_request: Request, _error: Exception) -> Response:
    # The default answer would repeat what was sent.
    return JSONResponse({"error": "not understood"}, status_code=422)

"""`/f/{name}` shows a form, `POST /forms/{name}` takes it in: stored as it came before anybody is thanked."""

import logging
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from leadflow.app import App
from leadflow.email.preview import page_url
from leadflow.errors import LinkError
from leadflow.links import read_form, sign_download, sign_form
from leadflow.playbook.model import Form
from leadflow.text import _, speaking
from leadflow.types import DAY, SECOND, micros
from leadflow.web.allowance import allowance_of, retry_after
from leadflow.web.asking import asked_of, reader_of
from leadflow.web.behind import behind_form
from leadflow.web.form_answers import SOURCES, TRAP, Circumstances, act_of, read_answers
from leadflow.web.form_body import Posted, posted_form
from leadflow.web.form_page import Shown, form_html, language_for, prefix_of, thanks_html
from leadflow.web.fresh import Fresh
from leadflow.web.look import policy
from leadflow.web.origins import cross_origin, is_ours, site_origins
from leadflow.web.state import FastLane, Kept, Opened, agent_of, network_of

logger = logging.getLogger("leadflow.web")
router = APIRouter()

#: Faster than this nobody reads a form; a program is asked to press once more, and so is a person in a hurry.
QUICKEST = 2 * SECOND
#: How long what stands behind a form is open to whoever filled it in.
OPEN_FOR = 7 * DAY
_Body = Annotated[Mapping[str, str], Depends(posted_form)]


@router.api_route("/f/{name}/thanks", methods=["GET", "HEAD"])
def thanks(request: Request, name: str, app: Fresh) -> Response:
    """What stands after a form, and the way to what it opens."""
    form, asked = form_named(app, name), request.query_params
    language = language_for(request, app, asked.get("lang"))
    embed = "embed" in asked
    opened = behind_form(app, form, language, asked.get("got", ""), micros(datetime.now(UTC)))
    return _html(app, thanks_html(app, form, language, opened, embed=embed), language, embed=embed)


@router.api_route("/f/{name}", methods=["GET", "HEAD"])
def show(request: Request, name: str, app: Fresh) -> Response:
    """The form; whoever comes from a mail is not asked what we know."""
    form, asked = form_named(app, name), request.query_params
    shown = shown_of(request, app, form, page=asked.get("page", ""), embed="embed" in asked)
    return _html(app, form_html(app, shown), shown.language, embed=shown.embed)


def form_named(app: App, name: str) -> Form:
    """A form of the playbook; 404 for any other."""
    form = app.playbook.forms.get(name)
    if form is None:
        raise HTTPException(404)
    return form


def shown_of(request: Request, app: App, form: Form, *, page: str, embed: bool = False, language: str = "") -> Shown:
    """A form for whoever asks, empty."""
    asked, now = request.query_params, micros(datetime.now(UTC))
    reader = reader_of(app, asked["who"], now) if "who" in asked else None
    spoken = language or language_for(request, app, asked.get("lang"), reader.language if reader else None)
    return Shown(
        form=form,
        asked=asked_of(app.playbook, form, spoken, reader),
        language=spoken,
        stamp=sign_form(app.settings.key(), form.name, now),
        values=_came_from(request, app, embed=embed),
        page=_page(page or f"/f/{form.name}"),
        embed=embed,
    )


def _came_from(request: Request, app: App, *, embed: bool) -> dict[str, str]:
    asked = request.query_params
    found = {name: asked.get(name, "")[:200] for name in (*SOURCES, "visitor")}
    # Of a frame the browser tells the page around it, which is no answer.
    referrer = found["referrer"] or ("" if embed else request.headers.get("referer", ""))
    try:
        parts = urlsplit(referrer if referrer.isprintable() else "")
    except ValueError:
        parts = urlsplit("")
    is_elsewhere = parts.netloc and f"{parts.scheme}://{parts.netloc}" not in site_origins(app)
    # Where they came from, never what they looked for there.
    found["referrer"] = f"{parts.scheme}://{parts.netloc}{parts.path}"[:200] if is_elsewhere else ""
    return found


def _page(told: str) -> str:
    """Path or address of the page, without what follows a question mark."""
    plain = "".join(sign for sign in told if sign.isprintable())
    return plain.partition("?")[0].partition("#")[0][:300]


@router.post("/forms/{name}")
def send(request: Request, name: str, app: Opened, posted: _Body, lane: FastLane, kept: Kept) -> Response:
    """Store what was filled in and thank for it (303); or the form again with a word beside each fault (422, 429)."""
    form, now = form_named(app, name), micros(datetime.now(UTC))
    reader = reader_of(app, posted["_who"], now) if posted.get("_who") else None
    language = language_for(request, app, posted.get("lang"), reader.language if reader else None)
    # Twenty at once, then one each five seconds.
    wait = allowance_of(request, "forms", burst=20, per_minute=12).wait(network_of(request), time.monotonic())
    if not wait and posted.get(TRAP):
        logger.info("form %s: filled in by a program", form.name)
        return _thank(request, app, form, language, posted, now)
    with speaking(language):
        asked = asked_of(app.playbook, form, language, reader, posted=posted)
        answers = read_answers(app, asked, posted)
        stamp, message = _timed(request, app, form, posted, now)
        if wait:
            message = _("Too many answers came from your network. Please send it again in a minute.")
        if answers.faults or message:
            shown = Shown(
                form=form,
                asked=asked,
                language=language,
                stamp=stamp or sign_form(app.settings.key(), form.name, now),
                values=posted,
                faults=answers.faults,
                message=message,
                embed=bool(posted.get("_embed")),
                page=_page(posted.get("_page", "")),
            )
            return _again(request, app, shown, wait)
    sent = _circumstances(request, form, posted, language, stamp)
    agreed = app.playbook if answers.agreed else None
    kept.keep(now, act_of(app, form, asked, answers, posted, sent), agreed=agreed)
    lane.heed([form.event])
    if form.double_opt_in:
        # Who waits for a mail looks for it now.
        lane.wake()
    return _thank(request, app, form, language, posted, now)


def _timed(request: Request, app: App, form: Form, posted: Posted, now: int) -> tuple[str, str]:
    """When the form was shown, by its word ('' for none); and what to say to whoever was too quick or had none."""
    once_more = _("Please press the button once more: this keeps programs from writing to us.")
    word = posted.get("_at", "")
    try:
        at = read_form(app.settings.key(), form.name, word)
    except LinkError:
        # A form in the HTML of the site's own pages has no such word.
        return "", "" if is_ours(request, app) else once_more
    return word, once_more if now - at < QUICKEST else ""


def _again(request: Request, app: App, shown: Shown, wait: float) -> Response:
    headers = {"Retry-After": retry_after(wait)} if wait else {}
    status = 429 if wait else 422
    if _by_script(request):
        told = {"errors": dict(shown.faults), "message": shown.message}
        return JSONResponse(told, status_code=status, headers={**headers, **cross_origin(request, app)})
    page = _html(app, form_html(app, shown), shown.language, embed=shown.embed, status=status)
    page.headers.update(headers)
    return page


def _thank(request: Request, app: App, form: Form, language: str, posted: Posted, now: int) -> Response:
    """The same for somebody new, somebody known, and a program that must not know it was found out."""
    embed = bool(posted.get("_embed"))
    if (page := form.thanks.page.get(language)) and not embed:
        url = page if "://" in page else page_url(app.playbook.brand.site, page)
    else:
        word = sign_download(app.settings.key(), form.name, now + OPEN_FOR)
        asked = {"lang": language, "got": word, **({"embed": "1"} if embed else {})}
        url = f"{prefix_of(app)}/f/{form.name}/thanks?{urlencode(asked)}"
    if _by_script(request):
        said = {"title": form.thanks.title.get(language, ""), "text": form.thanks.text.get(language, ""), "url": url}
        return JSONResponse({"thanks": said}, headers=cross_origin(request, app))
    return RedirectResponse(url, status_code=303)


def _by_script(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _circumstances(request: Request, form: Form, posted: Posted, language: str, stamp: str) -> Circumstances:
    return Circumstances(
        language=language,
        # The same form sent twice, by a finger that trembles or a page that is loaded again, is one act.
        id=stamp or secrets.token_hex(16),
        page=_page(posted.get("_page", "") or request.headers.get("referer", "") or f"/f/{form.name}"),
        network=network_of(request),
        agent=agent_of(request),
    )


def _html(app: App, html: str, language: str, *, embed: bool, status: int = 200) -> Response:
    origins = site_origins(app)
    headers = {
        "Content-Language": language,
        "Content-Security-Policy": policy(app.playbook.brand, frames=origins if embed else (), posts=origins),
        # A page that sends no origin with its form would be taken for anybody's.
        "Referrer-Policy": "same-origin",
    }
    return HTMLResponse(html, status_code=status, headers=headers)

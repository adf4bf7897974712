"""`/p/{name}`, `/sitemap.xml`, `/robots.txt`: the pages of the playbook, for people and for search engines."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from leadflow.app import App
from leadflow.playbook.model import Page, PageText
from leadflow.text import speaking
from leadflow.types import micros
from leadflow.web.behind import opens
from leadflow.web.form_page import Texts, form_words, language_for, prefix_of
from leadflow.web.forms import shown_of
from leadflow.web.fresh import Fresh
from leadflow.web.look import frame_of, frame_words, policy
from leadflow.web.origins import site_origins
from leadflow.web.pages import template

router = APIRouter()


@router.api_route("/p/{name}", methods=["GET", "HEAD"])
def page(request: Request, name: str, app: Fresh) -> Response:
    """A page in the reader's language; one that stands behind a form sends whoever lacks its word there."""
    found = app.playbook.pages.get(name)
    if found is None:
        raise HTTPException(404)
    asked = request.query_params
    language = language_for(request, app, asked.get("lang"))
    if language not in found.texts:
        language = next(iter(found.texts))
    if found.behind and not opens(app, found.behind, asked.get("got", ""), micros(datetime.now(UTC))):
        return RedirectResponse(f"{prefix_of(app)}/f/{found.behind}?{urlencode({'lang': language})}", status_code=303)
    return HTMLResponse(_html(request, app, found, language), headers=_headers(app, found, language))


def _headers(app: App, found: Page, language: str) -> dict[str, str]:
    return {
        "Content-Language": language,
        "Content-Security-Policy": policy(app.playbook.brand, posts=site_origins(app)),
        "Referrer-Policy": "no-referrer" if found.behind else "strict-origin-when-cross-origin",
        # A form tells when it was shown, so that a page with one is made anew for everybody.
        "Cache-Control": "no-store" if found.form or found.behind else "public, max-age=300",
        "Vary": "Accept-Language",
        **({"X-Robots-Tag": "all"} if found.listed else {}),
    }


def _html(request: Request, app: App, found: Page, language: str) -> str:
    text, form = found.texts[language], app.playbook.forms.get(found.form)
    own = f"{prefix_of(app)}/p/{found.name}"
    with speaking(language):
        words: dict[str, Any] = {"form": None, "faults": Texts(), "message": "", "words": frame_words()}
        kept = {name: value for name in ("got", "who") if (value := request.query_params.get(name))}
        frame = frame_of(app.playbook.brand, language, text.title, own, keep=kept)
        if form is not None:
            shown = shown_of(request, app, form, page=f"/p/{found.name}", language=language)
            words = form_words(app, shown, stranger=f"{own}?{urlencode({'lang': language})}")
        return template("landing.html").render(
            **frame,
            **words,
            page=found,
            text=text,
            canonical=address_of(app, found.name, language),
            alternates=alternates_of(app, found),
            linked_data=_linked_data(app, found, text, language),
        )


def address_of(app: App, name: str, language: str = "") -> str:
    """The whole address of a page, in a language or in the reader's own."""
    asked = f"?{urlencode({'lang': language})}" if language else ""
    return f"{app.settings.public_url.rstrip('/')}/p/{name}{asked}"


def alternates_of(app: App, found: Page) -> list[tuple[str, str]]:
    """(language, address) of each, and the one for everybody else."""
    own = [(language, address_of(app, found.name, language)) for language in found.texts]
    return [*own, ("x-default", address_of(app, found.name))] if len(own) > 1 else []


def _linked_data(app: App, found: Page, text: PageText, language: str) -> str:
    brand = app.playbook.brand
    publisher = {"@type": "Organization", "name": brand.name, "url": brand.site, "address": brand.postal_address}
    title = "headline" if text.kind == "Article" else "name"
    told = {
        "@context": "https://schema.org",
        "@type": text.kind,
        title: text.title,
        "description": text.description,
        "inLanguage": language,
        "url": address_of(app, found.name, language),
        "publisher": publisher,
        **({"image": text.image} if text.image else {}),
    }
    # Within a script no text may end it.
    return json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")


@router.api_route("/sitemap.xml", methods=["GET", "HEAD"])
def sitemap(app: Fresh) -> Response:
    """Every listed page in every language, each with the others."""
    rows = []
    for found in app.playbook.pages.values():
        links = "".join(
            f'<xhtml:link rel="alternate" hreflang={quoteattr(language)} href={quoteattr(url)}/>'
            for language, url in alternates_of(app, found)
        )
        rows += [
            f"<url><loc>{escape(address_of(app, found.name, language))}</loc>{links}</url>\n"
            for language in (found.texts if found.listed else ())
        ]
    spaces = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {spaces}>\n{"".join(rows)}</urlset>\n'
    return Response(text, media_type="application/xml", headers={"X-Robots-Tag": "all"})


@router.api_route("/robots.txt", methods=["GET", "HEAD"])
def robots(app: Fresh) -> Response:
    """Pages may be read by everybody; signed addresses are nobody's reading."""
    top = prefix_of(app)
    door = app.settings.public_url.rstrip("/")
    text = f"User-agent: *\nAllow: {top}/p/\nDisallow: {top}/\n\nSitemap: {door}/sitemap.xml\n"
    return PlainTextResponse(text, headers={"X-Robots-Tag": "all"})

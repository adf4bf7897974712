"""The few pages people see, in the language of the person they are for."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from leadflow.text import LANGUAGES, _, speaking
from leadflow.web.look import frame_of, frame_words, policy

#: Title, text, and the button where there is one.
Words = tuple[str, str, str | None]
#: Page → its words, looked up in the reader's language when the page is shown.
_WORDS: Mapping[str, Callable[[], Words]] = {
    "ask": lambda: (
        _("Stop receiving our emails?"),
        _("One click and we will not write to you again. It takes effect at once."),
        _("Unsubscribe me"),
    ),
    "done": lambda: (
        _("You are unsubscribed"),
        _("We will not write to you again. You can close this page."),
        None,
    ),
    "test": lambda: (
        _("This is the link of a test"),
        _("In a mail that is sent for good it lets the reader unsubscribe. Here it takes nobody out."),
        None,
    ),
    "test_preferences": lambda: (
        _("This is the link of a test"),
        _("In a mail that is sent for good it lets the reader choose what to receive. Here there is nobody to choose."),
        None,
    ),
    "mail_follows": lambda: (
        _("A message is on its way"),
        _("It goes to your address and asks you to confirm; nothing happens before. Its link works for seven days."),
        None,
    ),
    "not_found": lambda: (
        _("This link does not work"),
        _("It may have been cut short on its way. Open the email again and use the link there, or reply to it."),
        None,
    ),
    "not_understood": lambda: (
        _("We could not read this request"),
        _("Please open the link in the email again."),
        None,
    ),
    "no_page": lambda: (
        _("There is no such page"),
        _("It may have moved, or its address was cut short. Our site leads to all of them."),
        None,
    ),
    "not_sent": lambda: (
        _("We could not read this form"),
        _("Please go back, look at your answers and send them again."),
        None,
    ),
}


def say(request: Request, page: str, language: str, *, status: int = 200) -> Response:
    """One of the pages in `language`."""
    return tell(request, _WORDS[page], language, status=status)


def tell(request: Request, words: Callable[[], Words], language: str, *, status: int = 200) -> Response:
    """A page of nothing but `words`, looked up in `language`."""
    with speaking(language):
        title, text, button = words()
    return small_page(request, "page.html", language, status=status, title=title, text=text, button=button)


def small_page(
    request: Request,
    name: str,
    language: str,
    *,
    status: int = 200,
    words: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """A template of one column in the brand's frame, with the `values` it needs: `title` and `text` at least.

    Its own `words` go beside those of the frame.
    """
    brand = request.app.state.app.playbook.brand
    with speaking(language):
        said = {**frame_words(), **(words or {})}
    frame = {**frame_of(brand, language, values["title"]), "words": said, "faults": {}}
    html = template(name).render(frame | values)
    headers = {"Content-Language": language, "Content-Security-Policy": policy(brand)}
    return HTMLResponse(html, status_code=status, headers=headers)


def language_of(request: Request, preferred: str | None) -> str:
    """The person's own language, else the browser's, else the brand's first; always one that pages are written in."""
    asked = [part.partition(";")[0] for part in request.headers.get("accept-language", "").split(",")]
    brand = request.app.state.app.playbook.brand.languages
    candidates = (word.strip()[:2].lower() for word in (preferred or "", *asked, *brand))
    return next((language for language in candidates if language in LANGUAGES), LANGUAGES[0])


@cache
def template(name: str) -> Template:
    """A page of the templates beside this file."""
    pages = Environment(autoescape=True, undefined=StrictUndefined, loader=PackageLoader("leadflow.web"))
    return pages.get_template(name)

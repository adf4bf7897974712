"""The few pages people see, in the language of the person they are for."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import cache

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from leadflow.text import LANGUAGES, _, speaking

STYLE = """
:root { color-scheme: light dark }
body { font: 1.125rem/1.6 system-ui, sans-serif; margin: 0; color: #1d2433; background: #fff }
main { max-width: 34rem; margin: 12vh auto; padding: 0 1.5rem }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1rem; text-wrap: balance }
.brand { color: #55607a; margin: 0 0 2rem }
button { font: inherit; font-weight: 600; padding: .75rem 1.5rem; border: 0; border-radius: .5rem;
  background: #1b4fd6; color: #fff; cursor: pointer }
label { display: block; margin: 0 0 1.25rem; font-weight: 600 }
input, select { display: block; font: inherit; box-sizing: border-box; width: 100%; max-width: 20rem;
  margin: .25rem 0 0; padding: .6rem .75rem; border: 1px solid #8a94a8; border-radius: .5rem;
  background: #fff; color: inherit }
button.quiet { background: none; color: inherit; border: 1px solid #8a94a8; font-weight: 400; margin: 0 0 .75rem }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 3rem 0 .5rem }
a { color: #1b4fd6 }
fieldset { border: 0; margin: 0 0 1.75rem; padding: 0 }
legend { font-weight: 600; padding: 0; margin: 0 0 .25rem }
label.tick { display: flex; gap: .75rem; align-items: center; min-height: 2.75rem; padding: .25rem 0; margin: 0;
  box-sizing: border-box; font-weight: 400 }
label.tick input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; padding: 0 }
.apart { margin: 2rem 0 0 }
.saved { border-left: 4px solid #1a7f45; padding: .25rem 0 .25rem 1rem; margin: 0 0 1.5rem }
:focus-visible { outline: 3px solid #1b4fd6; outline-offset: 3px }
@media (prefers-color-scheme: dark) {
  body { color: #e8ebf2; background: #14181f }
  .brand { color: #a3adc2 }
  input, select { background: #1d232d; border-color: #6b768c }
  button { background: #8fb0ff; color: #0d1a3a }
  button.quiet { background: none; color: inherit; border-color: #6b768c }
  a { color: #8fb0ff }
  .saved { border-color: #5fcf8f }
  :focus-visible { outline-color: #8fb0ff }
}
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
#: Nothing is loaded, nothing runs; the one style sheet is known by its hash.
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

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
    brand = request.app.state.app.playbook.brand.name
    html = template("page.html").render(
        language=language, title=title, text=text, button=button, brand=brand, style=STYLE
    )
    return HTMLResponse(html, status_code=status, headers={"Content-Language": language})


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

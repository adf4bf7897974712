"""A page looked at by a real Chromium that counts whatever runs, asks for something or could be clicked."""

from dataclasses import dataclass

from playwright.sync_api import Dialog, Page, Route

_ADDRESS = "http://hostile.example/"
_LOOK = """() => {
  const pages = [document, ...[...document.querySelectorAll('iframe.mail')].map(frame => frame.contentDocument)];
  const all = pages.flatMap(page => [...page.querySelectorAll('*')]).filter(one => !one.classList.contains('mail'));
  const active = 'script,iframe,object,embed,form,input,button,base,link,svg,math,template,meta[http-equiv=refresh]';
  return {
    handlers: all.filter(one => [...one.attributes].some(attribute => attribute.name.startsWith('on'))).length,
    active: all.filter(one => one.matches(active)).length,
    titled: all.filter(one => one.matches('p[title]')).length,
    schemes: [...new Set(all.filter(one => one.matches('a[href], area[href]')).map(one => one.protocol))].sort(),
  };
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of a page."""

    dialogs: list[str]
    #: Other addresses that were asked for.
    requests: list[str]
    #: Tags with an on… attribute; tags that run, load or ask; paragraphs with a title.
    handlers: int
    active: int
    titled: int
    schemes: list[str]


def look_at(page: Page, html: str) -> Seen:
    """`html` as a page of its own, with nothing to hold it back."""
    dialogs: list[str] = []
    requests: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    def answer(route: Route) -> None:
        if route.request.url == _ADDRESS:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        else:
            requests.append(route.request.url)
            route.abort()

    page.on("dialog", note)
    page.route("**/*", answer)
    page.goto(_ADDRESS)
    found = page.evaluate(_LOOK)
    page.unroute("**/*", answer)
    page.remove_listener("dialog", note)
    return Seen(dialogs=dialogs, requests=requests, **found)

"""Somebody at a keyboard: no mouse, eyes on where the focus is; whatever page they come to is looked over."""

import re
import time
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from leadflow.types import SECOND
from leadflow.web.forms import QUICKEST

#: A phone by night, a desk by day.
SCREENS = {"phone": (375, 812, "dark"), "desktop": (1280, 900, "light")}
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Those that see a difference between a phone by night and a desk by day.
_SEEN = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
_AXE = """async (rules) => (await axe.run({runOnly: rules, resultTypes: ['violations'], elementRef: false})).violations
  .map(one => [one.id, one.impact, ...one.nodes.map(node => node.html + ' ' + node.failureSummary)])"""
#: What a browser, a search engine and a screen reader are told of a page before they read it.
_TOLD = """() => {
  const said = (name) => document.querySelector(`meta[name=${name}]`)?.content ?? '';
  return {
    language: document.documentElement.lang, title: document.title, viewport: said('viewport'),
    description: said('description'), robots: said('robots'),
    canonical: document.querySelector('link[rel=canonical]')?.href ?? '',
    silent: [...document.images].filter(one => one.alt === null || !one.hasAttribute('alt')).length,
    headings: document.querySelectorAll('h1').length,
    foreign: performance.getEntriesByType('resource').map(one => one.name).filter(one => !one.startsWith('data:')),
    small: [...document.querySelectorAll('button, .act')].filter(one => one.offsetHeight < 44).length,
  };
}"""
#: What is focused, whether it can be seen, and how it shows that it is.
_FOCUSED = """(there) => {
  const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  return {
    there: one === there,
    what: `${one.tagName} ${one.id || one.name || one.textContent.trim().slice(0, 30)}`,
    // `auto` is the browser's own ring.
    drawn: style.outlineStyle === 'auto' || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2),
    seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""
_WATCH = """new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted = (window.shifted || 0) + one.value;
}).observe({type: 'layout-shift', buffered: true})"""


class Visitor:
    """One person with one tab; `pictures` is where what they see is kept, if anywhere."""

    def __init__(self, page: Page, language: str, pictures: Path | None) -> None:
        self.page, self.language, self._pictures = page, language, pictures
        self._seen = count(1)
        #: When the page was there.
        self._came = 0.0
        #: Bytes of each document, by its address.
        self.weighs: dict[str, int] = {}
        page.add_init_script(_WATCH)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.on("response", lambda answer: self._weigh(answer.url, answer.headers.get("content-length")))

    def _weigh(self, url: str, length: str | None) -> None:
        self.weighs[url] = int(length or 0)

    def goes_to(self, url: str) -> None:
        """Type an address."""
        self.page.goto(url)
        self._came = time.monotonic()

    def reads(self, mail: str, name: str) -> None:
        """Open a mail; pictures of it are kept under `name`, where it has one."""
        self.page.goto(mail)
        if name:
            self._take(name)

    def tabs_to(self, there: Locator) -> None:
        """Press Tab until the focus is `there`; wherever it stops on the way, one can see where it is."""
        element = there.element_handle()
        for _ in range(60):
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(_FOCUSED, element)
            assert found["drawn"], f"nothing shows that {found['what']} has the focus"
            assert found["seen"], f"{found['what']} has the focus and is out of sight"
            if found["there"]:
                return
        raise AssertionError(f"no Tab leads to {there}")

    def fills(self, **answers: str) -> None:
        """Come to each field by Tab, and type."""
        for name, text in answers.items():
            self.tabs_to(self.page.locator(f"[name={name}]"))
            self.page.keyboard.type(text)

    def presses(self, there: Locator, key: str = "Enter") -> None:
        """Come to a button, a link or a box by Tab, and press a key on it."""
        self.tabs_to(there)
        self.page.keyboard.press(key)

    def follows(self, there: Locator) -> None:
        """Come to a link or button by Tab, press Enter, and wait for what comes."""
        self.tabs_to(there)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        # The same form, shown again, counts from the first time.
        if "/forms/" not in self.page.url:
            self._came = time.monotonic()

    def sends(self) -> None:
        """Press the button of a form, no sooner than people do."""
        left = QUICKEST / SECOND - (time.monotonic() - self._came)
        self.page.wait_for_timeout(1000 * max(0.0, left))
        self.follows(self.button())

    def button(self) -> Locator:
        """The first button of the page that sends something."""
        return self.page.locator("button").first

    def looks(self, name: str) -> dict[str, Any]:
        """Look the page over on a phone by night and at a desk by day; what it says of itself."""
        told: dict[str, Any] = self.page.evaluate(_TOLD)
        assert told["language"] == self.language
        assert told["title"].strip()
        assert "width=device-width" in told["viewport"]
        assert (told["silent"], told["headings"], told["small"], told["foreign"]) == (0, 1, 0, []), name
        assert self.page.evaluate("window.shifted || 0") == 0
        assert 0 < self.weighs[re.sub(r"#.*", "", self.page.url)] < 60_000
        self._take(name, self._is_sound)
        return told

    def _take(self, name: str, check: Callable[[str], None] | None = None) -> None:
        n = next(self._seen)
        for screen, (width, height, scheme) in SCREENS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            if check:
                check(f"{name} on a {screen}")
            if self._pictures:
                path = self._pictures / f"{self.language}-{n:02}-{name}-{screen}.png"
                self.page.screenshot(path=path, full_page=True)

    def _is_sound(self, where: str) -> None:
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.page.evaluate("innerWidth"), f"{where}: wider than the screen"
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_axe())
            rules: Any = _RULES
        else:
            rules = {"type": "rule", "values": _SEEN}
        found = self.page.evaluate(_AXE, rules)
        assert found == [], f"{where}: {found}"


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")

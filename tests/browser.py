"""A real Chromium for tests that look at pages: the distribution's own, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """The path of the first Chromium or Chrome on the PATH."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@contextmanager
def running_chromium(path: str) -> Iterator[Browser]:
    """A headless browser that never calls home; without its sandbox when root, as Chromium demands."""
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    flags = [*quiet, "--no-sandbox"] if os.geteuid() == 0 else quiet
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()

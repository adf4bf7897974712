"""A real Chromium for tests that look at pages: the distribution's own, driven by Playwright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright


@contextmanager
def running_chromium(path: str) -> Iterator[Browser]:
    """A headless browser that never calls home; without its sandbox when root, as Chromium demands."""
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    flags = [*quiet, "--no-sandbox"] if os.geteuid() == 0 else quiet
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()

"""The pages and forms that the example ships: light, complete for search engines and readers, no link into nowhere."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_download
from leadflow.playbook.example import example_workspace
from leadflow.playbook.load import load_playbook
from leadflow.types import DAY, micros
from tests.apps import an_app

#: Signs that a search engine shows of a title and of a description.
TITLE, DESCRIPTION = range(15, 66), range(70, 161)


class Read(HTMLParser):
    """The tags of a page with what stands in them, and the text of its title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.title = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "title" and not self.title:
            self.title = data

    def all(self, tag: str, **having: str) -> list[dict[str, str]]:
        """What stands in each `tag` that has these attributes."""
        return [found for name, found in self.tags if name == tag and having.items() <= found.items()]


@pytest.fixture
def app(engine: Engine) -> App:
    """The example."""
    return an_app(engine, book=load_playbook(example_workspace()))


def addresses(app: App) -> Iterator[tuple[str, str]]:
    """Each page, form and thanks in each language."""
    for language in app.playbook.brand.languages:
        for name, page in app.playbook.pages.items():
            opens = sign_download(app.settings.key(), page.behind, micros(datetime.now(UTC)) + DAY)
            yield f"/p/{name}?lang={language}&got={opens}", language
        for name in app.playbook.forms:
            yield f"/f/{name}?lang={language}", language
            yield f"/f/{name}/thanks?lang={language}", language


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_shipped_page_is_light_and_says_what_it_is(app: App, client: TestClient) -> None:
    leads_to: set[str] = set()
    for url, language in addresses(app):
        answer = client.get(url)
        assert (answer.status_code, answer.headers["content-language"]) == (200, language), url
        assert len(answer.content) < 60_000, url
        page = Read(answer.text)
        assert page.all("html", lang=language), url
        assert (len(page.all("h1")), len(page.all("main")), len(page.all("title"))) == (1, 1, 1), url
        assert page.all("meta", name="viewport", content="width=device-width, initial-scale=1"), url
        # A picture that does not say how large it is moves the text below it.
        assert all({"alt", "width", "height"} <= image.keys() for image in page.all("img")), url
        assert not [script for script in page.all("script") if script != {"type": "application/ld+json"}], url
        if page.all("link", rel="canonical"):
            (described,) = page.all("meta", name="description")
            assert (len(page.title) in TITLE, len(described["content"]) in DESCRIPTION) == (True, True), url
        leads_to |= {link["href"] for link in page.all("a") if link["href"].startswith("/")}
    assert {f"/f/quote?lang={language}" for language in app.playbook.brand.languages} <= leads_to
    assert {url: client.get(url).status_code for url in leads_to if client.get(url).status_code != 200} == {}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_listed_page_is_on_the_map_in_each_language(app: App, client: TestClient) -> None:
    shown = client.get("/sitemap.xml").text
    for name, page in app.playbook.pages.items():
        for language in page.texts:
            url = f"{app.settings.public_url}/p/{name}?lang={language}"
            assert (url in shown) is page.listed
            if page.listed:
                path = urlsplit(url)
                assert f'href="{url}"' in client.get(f"{path.path}?{path.query}").text

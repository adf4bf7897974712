"""Pages as people and search engines read them, and what stands behind a form."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.links import sign_download
from leadflow.playbook.model import Page, PageText
from leadflow.types import micros
from tests.web.books import BOTH, a_form, with_forms

DOOR = "http://127.0.0.1:8380"


def a_page(name: str, **parts: str | bool) -> Page:
    text = PageText(title=f"On {name} </script>", description="What it is about.", html=f"<h1>{name}</h1>")
    return Page(name=name, texts=dict.fromkeys(BOTH, text), **parts)  # type: ignore[arg-type]


@pytest.fixture
def app(engine: Engine, tmp_path: Path) -> App:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "guide.pdf").write_bytes(b"%PDF")
    (tmp_path / "secret").write_text("no")
    pages = (a_page("open"), a_page("asks", form="letter"), a_page("guide", behind="letter", listed=False))
    form = a_form(download={"fr": "downloads/guide.pdf", "en": "downloads/../secret"})
    return with_forms(engine, form, pages=pages, workspace=tmp_path)


def word(app: App, *, days: float = 1, form: str = "letter") -> str:
    return sign_download(app.settings.key(), form, micros(datetime.now(UTC) + timedelta(days=days)))


def test_a_page_tells_search_engines_what_it_is_in_which_languages(client: TestClient) -> None:
    page = client.get("/p/open?lang=en")
    assert (page.headers["content-language"], page.headers["x-robots-tag"]) == ("en", "all")
    assert f'<link rel="canonical" href="{DOOR}/p/open?lang=en">' in page.text
    alternates = re.findall(r'rel="alternate" hreflang="([^"]+)" href="([^"]+)"', page.text)
    assert alternates == [
        ("fr", f"{DOOR}/p/open?lang=fr"),
        ("en", f"{DOOR}/p/open?lang=en"),
        ("x-default", f"{DOOR}/p/open"),
    ]
    told = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page.text)[0])
    assert (told["name"], told["inLanguage"], told["publisher"]["name"]) == ("On open </script>", "en", "Atelier")
    assert '<meta property="og:title" content="On open &lt;/script&gt;">' in page.text


def test_a_page_is_read_in_the_language_of_the_browser(client: TestClient) -> None:
    spoken = {code: client.get("/p/open", headers={"Accept-Language": code}) for code in ("en-GB,fr", "de", "fr-BE")}
    assert [answer.headers["content-language"] for answer in spoken.values()] == ["en", "fr", "fr"]
    assert spoken["de"].headers["vary"] == "Accept-Language"


def test_a_page_may_be_kept_and_one_with_a_form_may_not(client: TestClient) -> None:
    assert client.get("/p/open").headers["cache-control"] == "public, max-age=300"
    asks = client.get("/p/asks")
    assert asks.headers["cache-control"] == "no-store"
    assert 'action="/forms/letter"' in asks.text
    assert 'name="_page" value="/p/asks"' in asks.text


def test_what_stands_behind_a_form_opens_with_its_word_alone(app: App, client: TestClient) -> None:
    for wrong in ("", word(app, days=-1), word(app, form="other"), word(app)[:-1] + "x"):
        answer = client.get("/p/guide", params={"lang": "fr", "got": wrong})
        assert (answer.status_code, answer.headers["location"]) == (303, "/f/letter?lang=fr")
    opened = client.get("/p/guide", params={"got": word(app)})
    assert (opened.status_code, "<h1>guide</h1>" in opened.text) == (200, True)
    assert opened.headers["x-robots-tag"] == "noindex, nofollow"


def test_thanks_lead_to_what_the_form_opens(app: App, client: TestClient) -> None:
    thanks = client.get("/f/letter/thanks", params={"lang": "en", "got": word(app)}).text
    assert "See you <strong>on Tuesday</strong>." in thanks
    opened = re.findall(r'class="act" href="([^"]+)"', thanks)
    assert [client.get(url.replace("&amp;", "&")).status_code for url in opened] == [200, 404]
    assert 'class="act"' not in client.get("/f/letter/thanks?lang=en").text


def test_a_file_is_fetched_and_none_outside_of_its_folder(app: App, client: TestClient) -> None:
    found = client.get(f"/d/{word(app)}?lang=fr")
    assert (found.content, found.headers["content-disposition"]) == (b"%PDF", 'attachment; filename="guide.pdf"')
    assert client.get(f"/d/{word(app)}?lang=en").status_code == 404
    assert client.get(f"/d/{word(app, days=-1)}?lang=fr").status_code == 404


def test_the_map_of_the_site_names_the_pages_that_are_listed(client: TestClient) -> None:
    found = ElementTree.fromstring(client.get("/sitemap.xml").text)  # noqa: S314 - we wrote it
    spaces = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    assert [place.text for place in found.iterfind(".//s:loc", spaces)] == [
        f"{DOOR}/p/{name}?lang={code}" for name in ("open", "asks") for code in BOTH
    ]
    assert f"Sitemap: {DOOR}/sitemap.xml" in client.get("/robots.txt").text

"""The report's page: opens without a network, runs nothing, names no lead, and is read on a phone and by ear."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from leadflow.ask.report.collect import everything
from leadflow.ask.report.emails import Edit, email_figures
from leadflow.ask.report.funnel_sheets import funnel_sheet
from leadflow.ask.report.numbers import days, hours, money, percent
from leadflow.ask.report.other_sheets import emails_sheet
from leadflow.ask.report.page import page_of
from leadflow.ask.report.period import ALWAYS
from leadflow.ask.report.reached import Question
from leadflow.ask.report.sheet import Column, Kind, Sheet, as_csv
from leadflow.ask.report.svg import fitting
from leadflow.db import make_engine
from leadflow.text import set_language
from tests.ask.report_world import NOW, STAGES, live_at_random
from tests.build import playbook

PLAYBOOK = playbook()
QUESTION = Question(by="source", stages=STAGES, zone=ZoneInfo("Europe/Paris"), now=NOW)
LANGUAGES = ("en", "fr")
EDITS = {"welcome": Edit(day=date(2026, 3, 2), author="Camille")}


def written(session: Session, language: str, *, people: int = 80) -> str:
    """The page of a random history, in a language."""
    live_at_random(session, 7, people=people)
    set_language(language)
    page = page_of(everything(session, PLAYBOOK, QUESTION, EDITS), PLAYBOOK)
    set_language(None)
    return page


class Cells(HTMLParser):
    """The cells of each table, by its caption."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self._caption, self._open = "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        # What stands inside a cell is part of it.
        self._open = self._open or tag in ("caption", "th", "td")
        if tag == "caption":
            self._caption = ""
        elif tag == "tr":
            self.tables.setdefault(self._caption, []).append([])
        elif tag in ("th", "td"):
            self.tables[self._caption][-1].append("")

    def handle_data(self, data: str) -> None:
        if self._open and self._caption in self.tables:
            self.tables[self._caption][-1][-1] += data
        elif self._open:
            self._caption += data

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag not in ("caption", "th", "td")


@pytest.fixture(scope="module")
def pages(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The page in each language, as a file."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "leadflow.db").write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{folder / 'leadflow.db'}")
    found = {}
    for language in LANGUAGES:
        with Session(engine) as session:
            found[language] = folder / f"{language}.html"
            found[language].write_text(written(session, language, people=120), encoding="utf-8")
    yield found
    engine.dispose()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_loaded_nothing_runs_and_no_lead_is_named(pages: dict[str, Path], language: str) -> None:
    page = pages[language].read_text(encoding="utf-8")
    assert re.findall(r"https?:|//[a-z]|@import|url\(|<script|<link|<img|<iframe| on[a-z]+=", page) == []
    assert re.findall(r"p\d+@x\.example", page) == []
    assert f'<html lang="{language}"' in page
    assert "&lt;span" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_is_named_described_and_sound(pages: dict[str, Path], language: str) -> None:
    page = pages[language].read_text(encoding="utf-8")
    pictures = [
        ET.fromstring(found)  # noqa: S314 - drawn by us
        for found in re.findall(r'<svg class="(?:wide|narrow)".*?</svg>', page)
    ]
    assert len(pictures) == 8
    names = [picture.get("aria-labelledby", "").split() for picture in pictures]
    assert [[part.get("id") for part in picture[:2]] for picture in pictures] == names
    assert all(part.text for picture in pictures for part in picture[:2])
    assert len({name for both in names for name in both}) == 16


def test_the_tables_hold_the_numbers_of_the_sheets(session: Session) -> None:
    tables = Cells(written(session, "en")).tables
    found = everything(session, PLAYBOOK, QUESTION, EDITS)
    for by, name in (("source", "source"), ("month", "month"), ("segment", "segment"), ("owner", "salesperson")):
        assert tables[f"By {name}"][1:] == [list(row) for row in funnel_sheet(found.funnels[by], PLAYBOOK).texts]
    figures = email_figures(session, PLAYBOOK, ALWAYS)
    assert tables["Emails"][1:] == [list(row) for row in emails_sheet(figures, QUESTION.zone, EDITS).texts]
    assert found.funnels["source"].total is not None
    assert tables["Funnel"][1][1] == str(found.funnels["source"].total.people)


def test_an_empty_workspace_has_a_page_too(session: Session) -> None:
    page = page_of(everything(session, PLAYBOOK, QUESTION, EDITS), PLAYBOOK)
    assert "<svg class" not in page


#: Words of a picture that are drawn over one another or out of it, and whether the page is wider than the screen.
_OVERLAPS = """() => {
  const bad = [];
  for (const svg of document.querySelectorAll('svg.wide, svg.narrow')) {
    if (!svg.getClientRects().length) continue;
    const frame = svg.getBoundingClientRect();
    const said = [...svg.querySelectorAll('text')].filter(t => t.textContent);
    const words = said.map(t => [t.textContent, t.getBoundingClientRect()]);
    words.forEach(([text, a], i) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1) bad.push('out: ' + text);
      for (const [other, b] of words.slice(i + 1))
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
          bad.push(text + ' over ' + other);
    });
  }
  if (document.documentElement.scrollWidth > innerWidth) bad.push('wider than the screen');
  return bad;
}"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [375, 768, 1200])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_covers_another_on_phone_or_desk(pages: dict[str, Path], page: Page, language: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(pages[language].as_uri())
    assert page.evaluate(_OVERLAPS) == []
    assert page.locator("svg.narrow:visible" if width < 576 else "svg.wide:visible").count() == 4


def test_numbers_are_written_as_each_language_does() -> None:
    assert (percent(0.464), percent(None), days(14.654), days(43.2), money(5_000_000)) == (
        "46\u00a0%",
        "·",
        "14.65",
        "43",
        "50,000",
    )
    assert hours(timedelta(hours=6, minutes=10)) == "6\u00a0h\u00a010"
    set_language("fr")
    assert (percent(0.105, 1), days(0.5), money(123_456_700)) == ("10,5\u00a0%", "0,5", "1\u202f234\u202f567")


def test_a_cell_cannot_begin_a_formula() -> None:
    columns = (Column(key="source", kind=Kind.TEXT), Column(key="people"))
    sheet = Sheet(name="s", title="", columns=columns, rows=(("=cmd|' /C calc'!A0", 3), ("web", -1)))
    assert as_csv(sheet) == "source,people\n'=cmd|' /C calc'!A0,3\nweb,-1\n"


def test_a_word_too_long_is_cut() -> None:
    assert (fitting("evaluation", 100), fitting("evaluation", 50)) == ("evaluation", "evalu…")

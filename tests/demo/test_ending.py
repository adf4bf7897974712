"""The demo's last screen: as agreed in both languages, and every number on it counted again from the rows.

`LEADFLOW_GOLDEN=write pytest tests/demo/test_ending.py` writes the screens anew.
"""

import os
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadflow.demo.nights import Lived
from leadflow.playbook.model import Page
from tests.demo.ending_world import lived
from tests.demo.recount import numbers_on, recount, screen
from tests.web.books import a_form

WRITE = os.environ.get("LEADFLOW_GOLDEN") == "write"
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def night(engine: Engine) -> Lived:
    return lived(engine)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_screen_is_as_agreed(night: Lived, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["leadflow"])
    path, found = GOLDEN / f"ending.{language}.txt", screen(night, language=language)
    if WRITE:
        path.write_text(found, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == found


def test_it_leads_visitors_to_a_page_that_is_open_to_them_and_to_a_form(night: Lived) -> None:
    behind, opened = (Page(name=name, texts={}, listed=name == "open") for name in ("behind", "open"))
    shown = replace(night.app.playbook, pages={"behind": behind, "open": opened}, forms={"demo": a_form(name="demo")})
    told = screen(replace(night, app=replace(night.app, playbook=shown)), language="en")
    assert "serve   → http://127.0.0.1:8380/p/open · http://127.0.0.1:8380/f/demo\n" in told


def test_every_number_on_it_is_counted_from_the_rows(night: Lived) -> None:
    # Narrow, so that the two tables stand below each other.
    assert numbers_on(screen(night, width=115)) == recount(night)


def test_french_says_the_same_numbers(night: Lived) -> None:
    english, french = (re.findall(r"\d+", screen(night, language=language)) for language in ("en", "fr"))
    assert Counter(english) == Counter(french)

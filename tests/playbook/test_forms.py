"""Faults of forms and pages: each at its line and column, in words, with what to write instead."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadflow.errors import Fault
from leadflow.playbook.files import Files
from leadflow.playbook.forms import form_of
from leadflow.playbook.known import Known
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.playbook.page_links import wrong_links
from leadflow.playbook.pages import pages_of
from leadflow.reading import read_yaml
from tests.playbook.conftest import EXAMPLE

FORM = """title: {fr: a, en: b}
button: {fr: a, en: b}
notice: {fr: a, en: b}
thanks: {title: {fr: a, en: b}, text: {fr: a, en: b}}
"""
PAGE = """---
title: A title
description: Fifty signs at least and a hundred and sixty at most, so that they show.
---
"""


@pytest.fixture(scope="module")
def book() -> Playbook:
    return load_playbook(EXAMPLE)


@pytest.fixture(scope="module")
def known(book: Playbook) -> Known:
    return Known(languages=("fr", "en"), vocabulary=book.vocabulary, stages=(), segments={}, read_file=lambda _path: ())


def faults_of(text: str, known: Known, workspace: Path) -> Iterator[str]:
    faults: list[Fault] = []
    root = read_yaml("config/forms/x.yaml", text, faults)
    assert root is not None
    form_of("x", root, known, Files(workspace, faults))
    return (str(fault).removeprefix("config/forms/x.yaml:") for fault in faults)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fields: [first_name]", "5:9  error  email is missing"),
        ("fields: [email, industri]", '5:17  error  "industri" cannot be asked for. Did you mean industry?'),
        ("fields: [email, fit]", '5:17  error  "fit" cannot be asked for'),
        ("fields: [email, email]", "5:17  error  email is asked twice"),
        ("fields: [email, {field: industry, lines: 3}]", "5:35  error  only a text has lines"),
        ("fields: [email, {ask_next: budget}]", '5:28  error  "budget" is not known here'),
        (
            "fields: [email, {ask_next: qualification}, {ask_next: qualification}]",
            "5:44  error  ask_next stands here twice",
        ),
        (
            "fields: [email]\nevent: demo_requestd",
            '6:8  error  "demo_requestd" is not known here. Did you mean demo_requested?',
        ),
        ("fields: [email]\nevent: deal_won", '6:8  error  "deal_won" is not known here'),
        ("fields: [email]\ndetails: {aset: a}", '6:11  error  "aset" is no detail of form_submitted'),
        ("fields: [email]\ndouble_opt_in: true", "6:1  error  there is nothing to confirm"),
        ("fields: [email]\nintro: {fr: a}", "6:8  error  intro is missing in en"),
        ("fields: [email]\nconsent: [{purpose: letters, wording: a}]", '6:21  error  "letters" is not known here'),
        ("fields: [email]\ndownload: ../secret", "6:11  error  name a file of the folder downloads"),
        ("fields: [email]\ndownload: downloads/guide.pdf", "6:11  warning  downloads/guide.pdf does not exist"),
    ],
)
def test_a_fault_of_a_form_is_told_where_it_stands(text: str, told: str, known: Known, tmp_path: Path) -> None:
    found = list(faults_of(FORM + text, known, tmp_path))
    assert [fault[: len(told)] for fault in found][:1] == [told]
    assert set(found) == {found[0]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# A", "1:1  error  a page begins with a line ---"),
        (PAGE.replace("title", "titel") + "# A", '2:1  error  "titel" is not known here. Did you mean title?'),
        (
            PAGE.replace("---\ntitle", "---\nform: leter\ntitle"),
            '2:7  error  "leter" is not known here. Did you mean letter?',
        ),
        (PAGE + "\n{{ lead.first_name }}", '6:4  error  "lead.first_name" is not known on a page'),
        (PAGE + "{{ brand.nam }}", '5:4  error  "brand.nam" is not known on a page'),
        (PAGE + "{% for a in [1] %}a{% endfor %}", '5:1  error  "for" may not be used'),
        (PAGE + "{% set a = 'a' %}", '5:1  error  "set" may not be used'),
        (PAGE + "{{ brand.name | replace('a', 'aa') }}", '5:1  error  "replace" may not be used'),
        (PAGE + "{{ brand.name * 9 }}", '5:15  error  "*" may not be used'),
        (PAGE + "{% if %}", "5:1  error  this is no template"),
        (PAGE + "x" * 41_000, "0:0  error  41 kB of text"),
    ],
)
def test_a_fault_of_a_page_is_told_where_it_stands(
    text: str, told: str, known: Known, book: Playbook, tmp_path: Path
) -> None:
    assert page_faults(text, "md", known, book, tmp_path)[0].startswith(f"pages/x.fr.md:{told}")


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("<p>\n<script>a</script>", "6:1  error  <script> runs"),
        ("<p onclick='a'>", '5:1  error  onclick="…"'),
        ("<p style='a'>", '5:1  error  style="…"'),
        ("<a href='java\nscript:a'>", "5:1  error  href leads to javascript"),
        ("<img src='https://a.example/b.png'>", "5:1  error  an image without words"),
        ("<form>", "5:1  error  <form> is put around"),
        ("<style>a</style>", "5:1  error  <style> is not shown"),
    ],
)
def test_what_would_run_in_a_page_is_refused(
    html: str, told: str, known: Known, book: Playbook, tmp_path: Path
) -> None:
    assert page_faults(PAGE + html, "html", known, book, tmp_path)[0].startswith(f"pages/x.fr.html:{told}")


def page_faults(text: str, kind: str, known: Known, book: Playbook, workspace: Path) -> list[str]:
    (workspace / "pages").mkdir()
    for language in ("fr", "en"):
        (workspace / "pages" / f"x.{language}.{kind}").write_text(text, encoding="utf-8")
    files = Files(workspace, [])
    pages_of(files, known, book.brand, book.forms)
    return sorted(str(fault) for fault in files.faults if ".fr." in fault.file)


def test_a_page_is_filled_in_with_what_is_known_of_the_brand(known: Known, book: Playbook, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    text = PAGE + "**{{ brand.name }}** {% if language == 'fr' %}[ici]({{ links.page('tarifs') }}){% endif %}"
    for language in ("fr", "en"):
        (tmp_path / "pages" / f"x.{language}.md").write_text(text, encoding="utf-8")
    page = pages_of(Files(tmp_path, []), known, book.brand, {})["x"]
    assert page.texts["fr"].html == (
        '<p><strong>Atelier Nord</strong> <a href="https://www.atelier-nord.example/tarifs">ici</a></p>\n'
    )
    assert "ici" not in page.texts["en"].html


def test_languages_that_are_missing_or_differ_are_told(known: Known, book: Playbook, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "pages", tmp_path / "pages")
    (tmp_path / "pages/your-quote.en.md").unlink()
    (tmp_path / "pages/notes.txt").write_text("a")
    other = tmp_path / "pages/a-site-that-sells.en.md"
    other.write_text(other.read_text().replace("form: white-paper\n", ""))
    files = Files(tmp_path, [])
    pages_of(files, known, book.brand, book.forms)
    assert sorted(str(fault) for fault in files.faults) == [
        "pages/a-site-that-sells.en.md:2:1  error  form (en) differs from pages/a-site-that-sells.fr.md: "
        "a page is one in all languages",
        "pages/notes.txt:0:0  error  nobody reads this file: a page is called quote.fr.md",
        "pages/your-quote.fr.md:2:1  warning  there is no pages/your-quote.en.md: who reads en reads this one",
    ]


def test_a_link_to_a_form_or_page_that_is_not_there_is_told() -> None:
    files = {
        "templates/emails/a/body.fr.md": b'A\n[b]({{ links.page("/f/leter?lang=fr") }}) [c](/p/open)',
        "config/x.yaml": b"links.page('/f/nothing')",
    }
    (fault,) = wrong_links(files, {"letter"}, {"open"})
    assert str(fault) == "templates/emails/a/body.fr.md:2:23  error  there is no form leter. Did you mean letter?"


def test_the_example_shows_each_of_its_pages_in_two_languages_within_sixty_kilobytes(book: Playbook) -> None:
    assert {name: sorted(page.texts) for name, page in book.pages.items()} == {
        name: ["en", "fr"] for name in ("a-site-that-sells", "a-site-that-sells-guide", "your-quote")
    }
    assert sorted(book.forms) == ["demo", "letter", "quote", "white-paper", "your-project"]

"""The shipped frame: what holds for every mail that stands in it."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from leadflow.email.catalog import Email
from leadflow.email.compile import compile_email
from leadflow.email.contrast import contrast, readable_on
from leadflow.email.preview import preview_email
from leadflow.email.render import Links, Rendered, render_email
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model.look import DARK_PAPER

PLAYBOOK = load_playbook(Path(__file__).parents[2])
FACTS: dict[str, object] = {f"brand.{name}": f"brand {name}" for name in ("name", "site", "postal_address")}
BODY = "# Title\n\nHi. [Prices](https://a.example/x_(1).)\n\n## More\n\n| a | b |\n| - | - |\n| 1 | 2 |\n"


def email(body: str = BODY, kind: str = "md") -> Email:
    return Email(name="a", subject={"fr": "Salut"}, bodies={"fr": body}, kinds={"fr": kind})


def framed(preferences: str = "", body: str = BODY, kind: str = "md") -> Rendered:
    links = Links(
        page=lambda path: f"https://s.example/{path}", url=str, unsubscribe="https://u.example", preferences=preferences
    )
    return render_email(compile_email(email(body, kind), "fr", PLAYBOOK.base), FACTS, links)


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, *names: str) -> list[dict[str, str | None]]:
        return [given for tag, given in self.found if tag in names]


def test_it_says_its_language_and_title_and_that_it_can_be_dark() -> None:
    html = framed().html
    tags = Tags(html)
    assert (tags.of("html")[0]["lang"], "<title>Salut</title>" in html) == ("fr", True)
    assert {"name": "color-scheme", "content": "light dark"} in tags.of("meta")
    rules = html.partition("@media (prefers-color-scheme: dark)")[2].partition("</style>")[0]
    assert (DARK_PAPER in rules, "!important" in rules, "a:focus" in html) == (True, True, True)


def test_a_saved_mail_says_its_charset_where_browsers_look_for_it() -> None:
    assert "charset=UTF-8" in framed().html[:1024]


def test_tables_of_the_layout_are_none_to_a_screen_reader_and_those_of_the_body_are() -> None:
    tables = Tags(framed().html).of("table")
    assert [given for given in tables if "border" not in given and given.get("role") != "presentation"] == [
        given for given in tables if given.get("role") != "presentation"
    ]
    assert sum(given.get("role") != "presentation" for given in tables) == 1


def test_headings_come_in_their_order_and_nothing_is_written_small() -> None:
    html = framed().html
    assert [tag for tag, _given in Tags(html).found if re.fullmatch("h[1-6]", tag)] == ["h1", "h2"]
    sizes = {int(size) for size in re.findall(r"font-size: ?(\d+)px", html.partition("<body")[2])}
    # 0 and 1 are MJML's ways to say that nothing stands there.
    assert min(sizes - {0, 1}) == 16


def test_it_needs_no_image_and_fetches_nothing() -> None:
    html = framed().html
    assert Tags(html).of("img", "link", "script", "iframe") == []
    assert re.findall(r"url\(|@import|https?://fonts", html) == []


def test_colours_can_be_read_in_the_dark_too() -> None:
    dark = PLAYBOOK.brand.look.words["brand.colors.dark_link"]
    assert contrast(dark, DARK_PAPER) >= 4.5
    assert readable_on("#ffffff", "#777777") == "#ffffff"
    assert contrast("#fff", "#000000") == 21


def test_the_page_of_choices_is_offered_once_there_is_one() -> None:
    assert "https://p.example" not in framed().html + framed().text
    both = framed("https://p.example")
    assert [both.html.count("https://p.example"), both.text.count("https://p.example")] == [1, 1]
    assert "Choisir ce que vous recevez\nhttps://p.example\n" in both.text


def test_the_text_keeps_addresses_whole() -> None:
    assert "Prices (https://a.example/x_(1).)" in framed().text
    assert "\nhttps://a.example/(b)\n" in framed(body="<https://a.example/(b)>").text


def test_the_text_of_a_whole_document_keeps_its_links_and_leaves_out_what_nobody_sees() -> None:
    inner = '<mj-text>Hi</mj-text><mj-button href="{{ links.page("x") }}">Go</mj-button><mj-image alt="Us" src="x" />'
    head = "<mj-head><mj-preview>Secret</mj-preview></mj-head>"
    body = f"<mjml>{head}<mj-body><mj-section><mj-column>{inner}</mj-column></mj-section></mj-body></mjml>"
    text = framed(body=body, kind="mjml").text
    assert (text.count("https://s.example/x"), "Secret" in text, "Us" in text) == (1, False, True)


def test_a_preview_leads_to_the_same_pages() -> None:
    done = preview_email(replace(email(), bodies={"fr": "{{ links.preferences }}"}), "fr", FACTS, PLAYBOOK.base)
    assert "brand site/unsubscribe" in done.text

"""What the HTML and the text of one mail say differently."""

import pytest

from leadflow.email.parity import Differences, text_differences

HTML = (
    '<div style="display:none">Save 90 % now</div><p>From <b>1 200 €</b>, for 12 people.</p>'
    '<p><a href="https://a.example/x?b=1&amp;c=(2)">Prices</a> <a href="mailto:a@b.example">Write</a>'
    '<a href="#top">Up</a>'
)
TEXT = "From 1\u202f200\u00a0€, for 12 people.\nPrices (https://a.example/x?b=1&c=(2))\nWrite: a@b.example.\n"


def test_parts_that_say_the_same_do_not_differ() -> None:
    assert not text_differences(HTML, TEXT)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("12 people", "people", {"lost_facts": ("12",)}),
        ("12 people", "13 people", {"lost_facts": ("12",), "added_facts": ("13",)}),
        ("https://a.example/x?b=1&c=(2)", "", {"lost_links": ("https://a.example/x?b=1&c=(2)",)}),
        ("a@b.example", "", {"lost_links": ("a@b.example",)}),
        ("Write", "https://c.example", {"added_links": ("https://c.example",)}),
    ],
)
def test_each_difference_is_named(old: str, new: str, expected: dict[str, tuple[str, ...]]) -> None:
    none: dict[str, tuple[str, ...]] = dict.fromkeys(("lost_links", "lost_facts", "added_links", "added_facts"), ())

    assert text_differences(HTML, TEXT.replace(old, new)) == Differences(**none | expected)


def test_an_address_that_goes_on_is_another_one() -> None:
    assert text_differences('<a href="https://a.example/x">x</a>', "x https://a.example/xy").lost_links

"""Signed links: bound to a purpose and a workspace, short, and never a place to put an address."""

import pytest

from leadflow.errors import LinkError
from leadflow.links import (
    address_hash,
    address_hashes,
    click_url,
    read_click,
    read_unsubscribe,
    sign_click,
    sign_unsubscribe,
    unsubscribe_url,
)


def test_a_click_says_which_link_of_which_message() -> None:
    assert read_click("k", sign_click("k", 12, 3)) == (12, 3)


def test_an_unsubscribe_says_whose_address_and_which_purpose() -> None:
    assert read_unsubscribe("k", sign_unsubscribe("k", 7, "nurture")) == (7, "nurture")


def test_a_link_of_one_purpose_does_not_serve_another() -> None:
    with pytest.raises(LinkError):
        read_unsubscribe("k", sign_click("k", 12, 3))


@pytest.mark.parametrize(
    "token", ["", "x", "WzEyLDNd.", "é\x00", sign_click("other", 12, 3), sign_click("k", 1, 2) + "x"]
)
def test_a_word_that_this_workspace_did_not_sign_is_refused(token: str) -> None:
    with pytest.raises(LinkError):
        read_click("k", token)


def test_the_unsubscribe_address_fits_in_one_header_line() -> None:
    url = unsubscribe_url("https://mail.atelier-nord.example/", sign_unsubscribe("k", 2**31, "newsletter"))
    assert len(url) < 120


def test_public_addresses_do_not_double_the_slash() -> None:
    assert click_url("https://a.example/", "t") == "https://a.example/c/t"


def test_a_hash_of_an_address_depends_on_the_workspace() -> None:
    assert len(address_hash("k", "a@b.example")) == 64
    assert address_hash("k", "a@b.example") != address_hash("other", "a@b.example")
    some = ["a@b.example", "ä@b.example", ""]
    assert list(address_hashes("k" * 99, some)) == [address_hash("k" * 99, one) for one in some]

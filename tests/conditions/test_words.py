"""Text is folded alike wherever it is written or asked, and prefixes are ranges by code point."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow.conditions.words import after_prefix, fold, fold_words, matches_glob, prefix_of

CHARACTERS = st.characters(exclude_categories=["Cs"])


@pytest.mark.parametrize(
    ("text", "folded"), [("GÉRANTE", "gérante"), ("e\u0301", "é"), ("Straße", "strasse"), ("Cœur", "cœur")]
)
def test_folding_takes_case_away_and_leaves_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "words"),
    [("Co-gérante, Lille", " co gérante lille "), ("l’agence_2", " l agence 2 "), ("", " "), ("--", " ")],
)
def test_words_stand_between_single_spaces(text: str, words: str) -> None:
    assert fold_words(text) == words


@given(text=st.text(CHARACTERS))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(("pattern", "prefix"), [("/a*", "/a"), ("*", ""), ("/a", None), ("/*a*", None), ("/?*", None)])
def test_a_trailing_star_alone_is_a_prefix(pattern: str, prefix: str | None) -> None:
    assert prefix_of(pattern) == prefix


@given(prefix=st.text(CHARACTERS, min_size=1), text=st.text(CHARACTERS))
def test_a_prefix_is_a_range_by_code_point(prefix: str, text: str) -> None:
    end = after_prefix(prefix)
    for one in (text, prefix + text, prefix[:-1] + text):
        assert (one >= prefix and (end is None or one < end)) == one.startswith(prefix)


@given(text=st.text("ab*?[]\n.", max_size=8))
def test_a_star_matches_anything_and_a_text_itself(text: str) -> None:
    assert matches_glob(text, "*")
    assert matches_glob(text, text.replace("*", "?"))

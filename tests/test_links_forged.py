"""A hundred thousand words that we did not sign: guessed, cut, moved to another purpose, off by a letter."""

import random
import string
from collections.abc import Callable, Iterator

import pytest

from leadflow.errors import LinkError
from leadflow.links import (
    read_answer,
    read_arrival,
    read_click,
    read_confirm,
    read_download,
    read_form,
    read_opened,
    read_preferences,
    read_reader,
    read_unsubscribe,
    sign_answer,
    sign_arrival,
    sign_click,
    sign_confirm,
    sign_download,
    sign_form,
    sign_opened,
    sign_preferences,
    sign_reader,
    sign_unsubscribe,
)
from tests.build import NIGHT

KEY, OTHER = "k" * 32, "l" * 32
SIGNS = string.ascii_letters + string.digits + "-_.=%\x00é"

#: Purpose → how a word of it is made, and read.
WORDS: dict[str, tuple[Callable[[str, int], str], Callable[[str, str], object]]] = {
    "click": (lambda key, n: sign_click(key, n, 3), read_click),
    "unsubscribe": (lambda key, n: sign_unsubscribe(key, n, "nurture"), read_unsubscribe),
    "answer": (lambda key, n: sign_answer(key, n, "Marc", "accept"), read_answer),
    "confirm": (sign_confirm, read_confirm),
    "preferences": (sign_preferences, read_preferences),
    "opened": (sign_opened, read_opened),
    "form": (lambda key, n: sign_form(key, "quote", n), lambda key, word: read_form(key, "quote", word)),
    "reader": (lambda key, n: sign_reader(key, n, 2**60), lambda key, word: read_reader(key, word, 0)),
    "download": (lambda key, n: sign_download(key, f"f{n}", 2**60), lambda key, word: read_download(key, word, 0)),
    "arrival": (lambda key, n: sign_arrival(key, n, NIGHT), lambda key, word: read_arrival(key, word, NIGHT)),
}
EACH = 100_000 // len(WORDS) + 1


def forged(purpose: str, chance: random.Random) -> Iterator[str]:
    make, _read = WORDS[purpose]
    others = [made for other, (made, _) in WORDS.items() if other != purpose]
    while True:
        good = make(KEY, chance.randrange(1, 10_000))
        at = chance.randrange(len(good))
        yield good[:at] + chance.choice(SIGNS.replace(good[at], "")) + good[at + 1 :]
        yield good[:at]
        yield good + chance.choice(SIGNS)
        yield make(OTHER, chance.randrange(1, 10_000))
        yield chance.choice(others)(KEY, chance.randrange(1, 10_000))
        # The signature of one word under the text of the next.
        yield str(chance.randrange(1, 10_000)) + good[good.find(".") :] + "0"
        yield "".join(chance.choices(SIGNS, k=chance.randrange(80)))


@pytest.mark.parametrize("purpose", WORDS)
def test_no_forged_word_is_accepted(purpose: str) -> None:
    read, words = WORDS[purpose][1], forged(purpose, random.Random(20_260_323))
    accepted = []
    for _ in range(EACH):
        word = next(words)
        try:
            read(KEY, word)
        except LinkError:
            continue
        accepted.append(word)
    assert accepted == []


@pytest.mark.parametrize("purpose", WORDS)
def test_the_words_that_the_forgeries_are_made_of_are_good(purpose: str) -> None:
    make, read = WORDS[purpose]
    assert read(KEY, make(KEY, 12))

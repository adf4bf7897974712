"""French typography: no-break spaces before : ; ! ? », after «, curly apostrophes, quotation marks of the language."""

import re
from collections.abc import Iterator

from leadflow.email.checks.rows import Finding
from leadflow.email.checks.source import NOTHING, VALUE, Written

#: Québec writes ; ! ? without a blank, Switzerland with another.
_LANGUAGES = frozenset({"fr", "fr-FR", "fr-BE", "fr-LU", "fr-MC"})
NO_BREAK = "\u00a0\u202f"
#: Signs before a place: what stands further off has nothing to do with it.
_LOOKED_BACK = 400
_URL = re.compile(r"(?:https?://|mailto:|tel:|www\.)[^\s<>]*|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]+")
_SIGN = re.compile(rf"(?<=[^\s{NO_BREAK}])[ \t]*([:;!?»])(?=[\s{NO_BREAK})»*_{NOTHING}\"'!?.,…]|$)", re.MULTILINE)
_OPENING = re.compile(rf"«([ \t]*)(?=[^\s{NO_BREAK}])")
_APOSTROPHE = re.compile(rf"([^\W\d_]+)'([^\W\d_]+|{VALUE})")
_QUOTES = re.compile(r"(?<![\w=])(?:\"([^\"\n]{1,120})\"|“([^”\n]{1,120})”)(?!\w)")


def is_french(language: str) -> bool:
    """Whether the rules of France hold for `language`."""
    return language in _LANGUAGES


def check_french(written: Written, plain: str) -> Iterator[Finding]:
    """Where `plain`, the readable signs of `written` at their own places, does not look French."""
    text = _URL.sub(lambda found: VALUE * len(found[0]), plain)
    for found in _SIGN.finditer(text):
        yield from _space_before(written, text, found)
    for found in _OPENING.finditer(text):
        word = _word_after(text, found.end())
        words, better = f"«{found[1]}{word}", f"«\u00a0{word}"
        yield written.finding("french-guillemet", found.start(), words=words, better=better)
    for found in _APOSTROPHE.finditer(text):
        words = _shown(found[0])
        yield written.finding("french-apostrophe", found.start(), words=words, better=words.replace("'", "’"))
    for found in _QUOTES.finditer(text):
        if _inside_guillemets(text, found.start()):
            continue
        inner = (found[1] or found[2]).strip()
        yield written.finding(
            "french-quotes", found.start(), words=_shown(found[0]), better=f"«\u00a0{_shown(inner)}\u00a0»"
        )


def _space_before(written: Written, text: str, found: re.Match[str]) -> Iterator[Finding]:
    sign, start = found[1], found.start()
    before = text[max(0, start - _LOOKED_BACK) : start].rstrip(NOTHING + "*_")
    if not before or before[-1] in NO_BREAK + "\n:;!?«|-(" or before.endswith(("…",)):
        return
    word = before.split("\n")[-1].split(" ")[-1]
    smiles = sign in ":;" and text[found.end() : found.end() + 1] == ")"
    if smiles or not re.search(r"[\w»)%€’…\ue000]$", word):
        return
    shown = _shown(re.sub(f"{VALUE}+", "…", word))
    blank = " " if found.start(1) > start else ""
    words, better = f"{shown}{blank}{sign}", f"{shown}\u00a0{sign}"
    yield written.finding("french-space", found.start(1), words=words, better=better, sign=sign)


def _inside_guillemets(text: str, place: int) -> bool:
    # A quotation within a quotation takes the other marks.
    before = text[max(0, place - _LOOKED_BACK) : place]
    return before.rfind("«") > before.rfind("»")


def _word_after(text: str, place: int) -> str:
    word = re.match(r"[^\s]{1,20}", text[place : place + 20])
    return _shown(word[0]) if word else ""


def _shown(words: str) -> str:
    return re.sub(f"{VALUE}[{VALUE}{NOTHING}]*", "…", words.replace(NOTHING, "")).lstrip("([*_")

"""How text is made comparable at write and at question: folding, whole words, globs, prefix ranges."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_LAST_CODE_POINT = 0x10FFFF
#: Surrogates are no characters: the code point after U+D7FF is U+E000.
_SURROGATES = (0xD800, 0xE000)


def fold(text: str) -> str:
    """`text` without case, composed (NFC); accents stay. What `lead.folded[x]` holds."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def fold_words(text: str) -> str:
    """Folded words between single spaces, ` directeur général `: what `lead.folded["x#words"]` holds."""
    found = _WORD.findall(fold(text))
    return f" {' '.join(found)} " if found else " "


def change_of(value: object) -> dict[str, object] | None:
    """A value as history keeps it, so that a condition can be asked of the past; None for a missing one."""
    if value is None:
        return None
    return {"v": value, "folded": fold(value), "words": fold_words(value)} if isinstance(value, str) else {"v": value}


def is_glob(pattern: str) -> bool:
    """Whether `pattern` has a wildcard: `*` for any run of characters, `?` for one."""
    return "*" in pattern or "?" in pattern


def prefix_of(pattern: str) -> str | None:
    """What stands before the `*`, when a trailing `*` is the only wildcard; else None."""
    return pattern[:-1] if pattern.endswith("*") and not is_glob(pattern[:-1]) else None


def after_prefix(prefix: str) -> str | None:
    """The least text above every text that begins with `prefix`, by code point; None when there is none."""
    kept = prefix.rstrip(chr(_LAST_CODE_POINT))
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(_SURROGATES[1] if following == _SURROGATES[0] else following)


def sqlite_glob(pattern: str) -> str:
    """`pattern` for SQLite's GLOB, where `[` would open a class."""
    return pattern.replace("[", "[[]")


def postgres_like(pattern: str) -> str:
    r"""`pattern` for LIKE with `\` as the escape character."""
    escaped = pattern.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return escaped.replace("*", "%").replace("?", "_")


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


def matches_glob(text: str, pattern: str) -> bool:
    """Whether all of `text` matches `pattern`."""
    return _glob(pattern).fullmatch(text) is not None

"""What people read goes through here: English is the source, French the translation (gettext)."""

import gettext
import locale
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "fr")
_LOCALES = Path(__file__).parent / "locale"
_language: ContextVar[str | None] = ContextVar("leadflow_language", default=None)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("leadflow", localedir=_LOCALES, languages=[language], fallback=True)


def set_language(language: str | None) -> None:
    """Speak `language` ("en", "fr") from here on in this context; None goes back to the surroundings'."""
    _language.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak `language` inside, and afterwards whatever was spoken before."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def current_language() -> str:
    """The language people read: `--lang`, then LEADFLOW_LANG, then the locale; English when unknown."""
    asked = _language.get() or os.environ.get("LEADFLOW_LANG") or locale.getlocale()[0] or "en"
    short = asked[:2].lower()
    return short if short in LANGUAGES else "en"


def _(message: str) -> str:
    """`message` in the language people read."""
    return _catalogue(current_language()).gettext(message)


def decimal(number: float | str) -> str:
    """`8.2`; `8,2` in French. A number is given one decimal, a text is a number already."""
    written = number if isinstance(number, str) else f"{number:.1f}"
    return written.replace(".", "," if current_language() == "fr" else ".")


def ngettext(one: str, many: str, n: int) -> str:
    """`one` or `many`, as `n` asks in the language people read."""
    return _catalogue(current_language()).ngettext(one, many, n)

"""How every page looks: the brand's frame, colours and font, by day and by night, and the policy with them."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from leadflow.playbook.model import Brand
from leadflow.text import _

#: What a language calls itself.
_LANGUAGE_NAMES = {
    "fr": "Français",
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "it": "Italiano",
    "nl": "Nederlands",
}

#: Sends the height of a form to the page whose frame it stands in.
TELL_HEIGHT = (
    "addEventListener('load',()=>{const tell=()=>parent.postMessage("
    "{leadflow:document.documentElement.offsetHeight},'*');"
    "new ResizeObserver(tell).observe(document.documentElement);tell()})"
)


def frame_of(
    brand: Brand,
    language: str,
    title: str,
    url: str = "",
    *,
    keep: Mapping[str, str] | None = None,
    embed: bool = False,
) -> dict[str, Any]:
    """What every page needs: the brand, its style, and the same page in the other languages, at `url` with `keep`."""
    others = [code for code in brand.languages if code != language] if url else []
    kept = keep or {}
    return {
        "language": language,
        "title": title,
        "brand": brand,
        "style": style_of(brand),
        "embed": embed,
        "tell_height": TELL_HEIGHT,
        "speaks": [(code, name_of(code), f"{url}?{urlencode({'lang': code, **kept})}") for code in others],
    }


def frame_words() -> dict[str, str]:
    """The words of the frame, in the language that is spoken."""
    return {"skip": _("Go to the text"), "error": _("Please check:")}


def name_of(language: str) -> str:
    """What a language calls itself, else its code."""
    return _LANGUAGE_NAMES.get(language[:2], language)


def style_of(brand: Brand) -> str:
    """The style sheet of a page."""
    return _style(tuple(sorted(brand.look.words.items())))


@lru_cache(maxsize=8)
def _style(look: tuple[tuple[str, str], ...]) -> str:
    source = files("leadflow.web").joinpath("templates", "site.css").read_text(encoding="utf-8")
    for name, value in look:
        source = source.replace(f"${name.removeprefix('brand.')};", f"{value};")
    return source


def policy(brand: Brand, *, frames: Sequence[str] = (), posts: Sequence[str] = ()) -> str:
    """What the page may do: show its own style sheet and images, post to us, stand in the frames of `frames`."""
    framing = " ".join(("'self'", *frames)) if frames else "'none'"
    posting = " ".join(("'self'", *posts))
    parts = [
        "default-src 'none'",
        f"style-src '{_hash(style_of(brand))}'",
        "img-src 'self' https: data:",
        f"form-action {posting}",
        "base-uri 'none'",
        f"frame-ancestors {framing}",
    ]
    if frames:
        parts.append(f"script-src '{_hash(TELL_HEIGHT)}'")
    return "; ".join(parts)


@lru_cache(maxsize=16)
def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

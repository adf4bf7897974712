"""How forms and pages look: the brand's colours and font, by day and by night, and the policy that goes with them."""

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from leadflow.playbook.model import Brand

#: Sends the height of a form to the page whose frame it stands in.
TELL_HEIGHT = (
    "addEventListener('load',()=>{const tell=()=>parent.postMessage("
    "{leadflow:document.documentElement.offsetHeight},'*');"
    "new ResizeObserver(tell).observe(document.documentElement);tell()})"
)


def style_of(brand: Brand) -> str:
    """The style sheet of a form or page."""
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

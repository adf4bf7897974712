"""Where links lead and what they are called, and what images show: the same for Markdown, HTML and MJML."""

import re
from collections.abc import Collection, Iterator

from leadflow.email.checks.rows import Finding
from leadflow.email.checks.source import NOTHING, VALUE, Image, Link, Written
from leadflow.email.names import FRAME
from leadflow.reading import nearest
from leadflow.text import _

_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_NAME = re.compile(r"\{\{-?\s*([\w.]+)")
_DANGEROUS = frozenset({"javascript", "data", "vbscript", "file", "blob"})
_FINE = frozenset({"https", "mailto", "tel"})
_SAYS_NOTHING = re.compile(
    r"(?:(?:cliquez|cliquer|clique|c'est|par) )?ici|(?:suivez )?(?:ce |le )?lien|en savoir plus|lire (?:la suite|plus)"
    r"|voir plus|plus d'infos|cette page|(?:click )?here|click|(?:this )?link|(?:learn|read|see|find out)? ?more"
    r"|more info|this page"
)
#: What fills a frame may hold links of its own.
_FRAME_VALUES = frozenset(FRAME)


def check_links(written: Written, links: Collection[Link], ids: Collection[str]) -> Iterator[Finding]:
    """What is wrong with the targets and the words of `links`; anchors look for one of `ids`."""
    for link in links:
        yield from _target(written, link, ids)
        if link.words is not None:
            yield from _words(written, link)


def _target(written: Written, link: Link, ids: Collection[str]) -> Iterator[Finding]:
    target = link.target.strip()
    scheme = _scheme(target)
    if scheme in _DANGEROUS:
        yield written.finding("link-scheme", link.target_at, scheme=f"{scheme}:")
    elif set(target) & {VALUE, NOTHING}:
        yield from _value(written, link)
    elif target.startswith("#"):
        if target != "#" and target[1:] not in ids:
            yield written.finding("dead-anchor", link.target_at, anchor=target[1:], mend=_anchor_mend(target[1:], ids))
    elif scheme == "http":
        yield written.finding("link-http", link.target_at)
    elif scheme not in _FINE:
        page = re.sub(r"^[a-z]+:|^[/.]+|[\"'{}]", "", target)
        yield written.finding("link-target", link.target_at, target=target, page=page or "…")


def _scheme(target: str) -> str:
    # Mailboxes see through blanks and control characters inside the word; so do we.
    found = _SCHEME.match(re.sub(r"[\x00-\x20]+", "", target))
    return found[1].lower() if found else ""


def _value(written: Written, link: Link) -> Iterator[Finding]:
    """A target with a value in it: links.page("…") and its like lead somewhere, a person's data may not."""
    tag = written.text[link.target_at : link.target_at + len(link.target)]
    name = _NAME.match(tag) if set(link.target) <= {VALUE, "\n"} else None
    if name and (name[1].startswith("links.") or name[1] in _FRAME_VALUES):
        return
    if _scheme(link.target) not in _FINE - {"https"} and not link.target.startswith("#"):
        yield written.finding("link-value", link.target_at, target=tag.strip())


def _anchor_mend(anchor: str, ids: Collection[str]) -> str:
    near = nearest(anchor, ids)
    if near:
        return _("Did you mean #{word}?").format(word=near)
    return _('Write id="{anchor}" where the link should lead, or link to a page').format(anchor=anchor)


def _words(written: Written, link: Link) -> Iterator[Finding]:
    words = " ".join(re.sub(rf"[{NOTHING}\u00a0\u202f]", " ", link.words or "").replace("’", "'").split())
    if not words:
        yield written.finding("link-no-words", link.at)
    elif _SAYS_NOTHING.fullmatch(words.strip(" .!:…→›»>").casefold()):
        yield written.finding("link-words", link.at, words=words)


def check_images(written: Written, images: Collection[Image]) -> Iterator[Finding]:
    """What is wrong with the sources and the alternative texts of `images`."""
    for image in images:
        target, scheme = image.target.strip(), _scheme(image.target)
        if scheme == "http":
            yield written.finding("image-http", image.target_at)
        elif scheme not in ("https", "cid") and not set(target) & {VALUE, NOTHING}:
            shown = target if len(target) <= 40 else f"{target[:40]}…"
            yield written.finding("image-source", image.target_at, target=shown)
        if image.alt is None:
            yield written.finding("image-alt", image.at)

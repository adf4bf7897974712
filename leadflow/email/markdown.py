"""Markdown bodies, as HTML for the frame and as text for those who read text."""

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from leadflow.email.protect import Vault

# Raw HTML stays off: what a marketer needs beyond Markdown is a body.html.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable(["table", "strikethrough"])
_BUTTON = re.compile(r"<p>(<strong><a [^>]*>(?:(?!</?a\b).)*</a></strong>)</p>")
#: An address among words: a bracket belongs to it when it was opened there, a full stop at its end does not.
ADDRESS = re.compile(
    r"https?://(?:[^\s<>\"'()\[\]{}.,;:!?]|\([^\s<>\"'()\[\]{}]*\)|[.,;:!?]+(?=[^\s<>\"'()\[\]{}.,;:!?]))+"
)
_BLOCK_ALONE = re.compile(r"<p>(LFTAG\d+X)</p>")


def markdown_to_html(source: str, vault: Vault) -> str:
    """HTML of a protected Markdown body; a paragraph that is one bold link is marked as a button."""
    rendered = str(_MARKDOWN.render(_blocks_apart(source, vault)))
    rendered = _BLOCK_ALONE.sub(lambda match: match[1] if vault.is_block(match[1]) else match[0], rendered)
    return _BUTTON.sub(r'<p class="button">\1</p>', rendered)


def _blocks_apart(source: str, vault: Vault) -> str:
    # A line that holds one `{% … %}` and nothing else is no part of the paragraph beside it.
    lines = (f"\n{line}\n" if vault.is_block(line.strip()) else line for line in source.splitlines())
    return "\n".join(lines)


def html_to_text(source: str, address: Callable[[str], str] = str) -> str:
    """Readable text of (protected) HTML: links as `address` gives them, items marked, a blank line between blocks."""
    reader = _TextOf(address)
    reader.feed(source)
    reader.close()
    text = "".join(reader.parts)
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


_APART = {"p", "h1", "h2", "h3", "h4", "ul", "ol", "blockquote", "table", "div", "section", "hr"}
_HIDDEN = {"style", "script", "title", "head"}
_EMPTY = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
_UNSEEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


class _TextOf(HTMLParser):
    """Collects what a reader of the text part should see."""

    def __init__(self, address: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._address = address
        self._lists: list[int] = []
        self._href: str | None = None
        self._label = 0
        #: What is open and not shown, from the outermost such tag on.
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._hidden or tag in _HIDDEN or _UNSEEN.search(given.get("style") or ""):
            self._hidden += [tag] * (tag not in _EMPTY and (not self._hidden or tag == self._hidden[0]))
        elif tag in _APART:
            self._open(tag)
        elif tag == "li":
            self._item()
        elif tag in {"br", "tr"}:
            self.parts.append("\n")
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        elif tag == "img":
            self.parts.append(given.get("alt") or "")
        elif tag == "a":
            self._href, self._label = given.get("href"), len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden = self._hidden[tag == self._hidden[0] :]
        elif tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
            self.parts.append("\n" if self._lists else "\n\n")
        elif tag in _APART:
            self.parts.append("\n\n")
        elif tag == "a":
            self._close_link()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(re.sub(r"[ \t\r\n]+", " ", data) if data.strip() or self.parts else "")

    def _open(self, tag: str) -> None:
        nested = bool(self._lists)
        self.parts.append("\n" if nested else "\n\n")
        if tag in {"ul", "ol"}:
            self._lists.append(1 if tag == "ol" else 0)
        elif tag == "hr":
            self.parts.append("----\n\n")

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else 0
        self.parts.append("\n" + "  " * (len(self._lists) - 1) + (f"{number}. " if number else "- "))
        if number:
            self._lists[-1] += 1

    def _close_link(self) -> None:
        label = "".join(self.parts[self._label :]).strip()
        if self._href and not self._href.startswith("#"):
            address = self._address(self._href)
            if label == self._href:
                self.parts[self._label :] = [address]
            else:
                self.parts.append(f"\n{address}" if self._is_alone() else f" ({address})")
        self._href = None

    def _is_alone(self) -> bool:
        # The last words before it, found from the end: a mail may have thousands of links.
        before = next((part for place in range(self._label - 1, -1, -1) if (part := self.parts[place])), "")
        return before.endswith("\n") and not self._lists


def map_links(source: str, change: Callable[[str], str]) -> str:
    """`source` (HTML) with each href of a link passed through `change`."""

    def replaced(match: re.Match[str]) -> str:
        # What `change` gives is a tag's stand-in or an address as it was: both are safe between the quotes.
        return f"{match[1]}{match[2]}{html.escape(change(html.unescape(match[3])))}{match[2]}"

    return re.sub(r"(<a\b[^>]*?\shref=)([\"'])(.*?)\2", replaced, source, flags=re.DOTALL | re.IGNORECASE)

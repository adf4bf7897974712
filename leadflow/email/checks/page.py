"""What is wrong in HTML and MJML: quotes, active content, language, layout tables, links, images, contrast."""

from collections.abc import Iterator

from leadflow.email.checks.colours import Colour, check_contrast, looks
from leadflow.email.checks.html import Token, tokens
from leadflow.email.checks.links import check_images, check_links
from leadflow.email.checks.rows import Finding
from leadflow.email.checks.source import NOTHING, VALUE, Image, Link, Written, entities_read

_ACTIVE = frozenset({"script", "iframe", "frame", "form", "object", "embed", "applet", "base"})
_LINKED = frozenset({"a", "area", "mj-button", "mj-navbar-link", "mj-social-element", "mj-image", "mj-carousel-image"})
_WITH_WORDS = frozenset({"a", "mj-button", "mj-navbar-link"})
_PICTURES = frozenset({"img", "mj-image", "mj-carousel-image"})
#: The end of these need not be written.
_CLOSED_BY_NEXT = frozenset({"p", "li", "td", "tr", "th", "dd", "dt", "thead", "tbody", "tfoot", "option"})
_DEEPEST = 150
#: More tags than any mail has: their colours are not looked at.
_MOST_TAGS = 5000


class Page:
    """One HTML or MJML template, cut into tags."""

    def __init__(self, written: Written) -> None:
        self.written = written
        self.tokens = tokens(written.plain)

    @property
    def ids(self) -> frozenset[str]:
        """Where anchors may lead."""
        named = ((token.value("id"), token.value("name") if token.name == "a" else None) for token in self.tokens)
        return frozenset(name for pair in named for name in pair if name)

    @property
    def is_whole(self) -> bool:
        """Whether it is a document of its own, without the frame."""
        return self.written.plain.lstrip(f"{NOTHING}\ufeff \t\r\n").lower().startswith(("<mjml", "<!doctype", "<html"))

    @property
    def readable(self) -> str:
        """What people read of it, each sign at its place; everything else is blank."""
        plain = self.written.plain
        signs = [NOTHING if sign != "\n" else sign for sign in plain]
        for token in self.tokens:
            if token.kind == "text":
                signs[token.at : token.at + len(token.text)] = entities_read(token.text)
        return "".join(signs)

    def behind_content(self) -> Colour | None:
        """The colour behind the place where the content of an email comes in."""
        start = self.written.text.find("{{ content }}")
        found = (look for look, token in looks(self.tokens, None) if start >= 0 and _holds(self, token, start))
        last = list(found)
        return last[-1].behind if last else None

    def links(self) -> Iterator[Link]:
        """Its links."""
        for place, token in enumerate(self.tokens):
            target = token.attributes.get("href") if token.kind == "open" and token.name in _LINKED else None
            if target is not None:
                words = _words_in(self.tokens, place) if token.name in _WITH_WORDS else None
                yield Link(at=token.at, target_at=target.at, target=target.value, words=words)

    def images(self) -> Iterator[Image]:
        """Its images."""
        for token in self.tokens:
            source = token.attributes.get("src") if token.kind == "open" and token.name in _PICTURES else None
            if source is not None:
                yield Image(at=token.at, target_at=source.at, target=source.value, alt=token.value("alt"))


def check_page(page: Page, *, language: str, ids: frozenset[str], behind: Colour | None) -> Iterator[Finding]:
    """Findings in `page`; `ids` and `behind` are those of the frame around it."""
    written = page.written
    yield from _tags(page)
    yield from _too_deep(page)
    yield from _language(page, language)
    yield from _tables(page)
    yield from check_links(written, list(page.links()), page.ids | ids)
    yield from check_images(written, list(page.images()))
    if len(page.tokens) <= _MOST_TAGS:
        white = "#ffffff" if page.is_whole else behind
        yield from check_contrast(written, page.tokens, white)


def _tags(page: Page) -> Iterator[Finding]:
    for token in page.tokens:
        if token.kind != "open":
            continue
        refresh = token.name == "meta" and (token.value("http-equiv") or "").strip().lower() == "refresh"
        if token.name in _ACTIVE or refresh:
            what = "<meta refresh>" if refresh else f"<{token.name}>"
            yield page.written.finding("active-content", token.at, what=what)
        for name, attribute in token.attributes.items():
            if name.startswith("on") and len(name) > 3 and not token.name.startswith("mj-"):
                yield page.written.finding("active-content", attribute.named_at, what=f"{name}=")
            if not attribute.quoted and VALUE in attribute.value:
                value = page.written.text[attribute.at : attribute.at + len(attribute.value)]
                yield page.written.finding("unquoted-attribute", attribute.at, attribute=name, value=value)


def _too_deep(page: Page) -> Iterator[Finding]:
    """A finding where elements stand in one another deeper than any mail needs, and than programs can follow."""
    open_: list[str] = []
    for token in page.tokens:
        if token.name in _CLOSED_BY_NEXT or token.alone:
            continue
        if token.kind == "open":
            open_.append(token.name)
        elif token.kind == "close" and open_ and open_[-1] == token.name:
            open_.pop()
        if len(open_) > _DEEPEST:
            yield page.written.finding("too-deep", token.at, n=_DEEPEST)
            return


def _language(page: Page, language: str) -> Iterator[Finding]:
    first = next((token for token in page.tokens if token.kind == "open" and token.name in ("html", "mjml")), None)
    if first is None:
        return
    said = (first.value("lang") or "").strip()
    if VALUE not in said and said.partition("-")[0].lower() != language.partition("-")[0].lower():
        yield page.written.finding("html-lang", first.at, language=language, tag=first.name)


def _tables(page: Page) -> Iterator[Finding]:
    """Tables that are there for the layout and do not say so; one with headings of its own shows figures."""
    open_: list[tuple[Token, bool]] = []
    for token in page.tokens:
        if token.kind == "open" and token.name == "table" and not token.alone:
            open_.append((token, (token.value("role") or "").lower() in ("presentation", "none")))
        elif token.kind == "open" and token.name in ("th", "caption") and open_:
            open_[-1] = (open_[-1][0], True)
        elif token.kind == "close" and token.name == "table" and open_:
            table, told = open_.pop()
            if not told:
                yield page.written.finding("table-role", table.at)


def _words_in(found: list[Token], place: int) -> str:
    """The words between a link's tags, its images by their alternative text; a value counts as a word."""
    name, words = found[place].name, []
    for token in found[place + 1 :]:
        if token.name == name and token.kind != "text":
            break
        if token.kind == "text":
            words.append(entities_read(token.text))
        elif token.kind == "open" and token.name in _PICTURES:
            words.append(token.value("alt") or "")
    title = found[place].value("aria-label") or ""
    return " ".join(" ".join(words).split()) or title


def _holds(page: Page, token: Token, start: int) -> bool:
    """Whether the sign at `start` stands in the text right behind the tag `token`."""
    place = page.tokens.index(token)
    return any(text.at <= start < text.at + len(text.text) for text in page.tokens[place + 1 : place + 2])

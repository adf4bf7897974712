"""What a mail's HTML may consist of, checked once a template: tags, attributes, addresses, and where values may stand.

CSS inlining leaves HTML in one canonical form; what is not written in that form is refused, so that nothing here can be
read in one way and by a mail program in another. A value is escaped where it stands: outside of the places allowed here
escaping would not hold it.
"""

import re
from collections.abc import Iterable, Iterator

from jinja2 import nodes

from leadflow.email.css_output import refuse_css
from leadflow.email.needs import is_link, parse_template
from leadflow.email.protect import Vault
from leadflow.errors import TemplateError
from leadflow.text import _

_TAGS_TEXT = """
a abbr article aside b bdi bdo big blockquote body br caption center cite code col colgroup dd del dfn div dl dt em
figcaption figure font footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd li main mark meta nav ol p pre q s
samp section small span strike strong style sub sup table tbody td tfoot th thead time title tr tt u ul var wbr
"""
_ATTRIBUTES_TEXT = """
abbr align alt background bgcolor border cellpadding cellspacing charset cite class clear color cols colspan content
datetime dir face headers height href hspace http-equiv id lang media name noshade nowrap rel role rowspan scope size
span src start style summary tabindex target title type valign value vertical-align
vspace width xml:lang xmlns xmlns:o xmlns:v
"""
_TAGS, _ATTRIBUTES = frozenset(_TAGS_TEXT.split()), frozenset(_ATTRIBUTES_TEXT.split())
#: Of a person's words, these may show some: there they are words to the mail program, too.
_WORDS = frozenset({"abbr", "alt", "dir", "lang", "summary", "title"})
_ADDRESSES = frozenset({"background", "cite", "src"})
_META = frozenset({"content-type", "x-ua-compatible"})

_PIECE = re.compile(
    r"<!--(?P<comment>.*?)-->|<!DOCTYPE [^<>]*>|</(?P<end>[a-z][a-z0-9]*)>"
    r"|<(?P<tag>[a-z][a-z0-9]*)(?P<attributes>(?: [a-z][a-z0-9:-]*=\"[^\"]*\")*)>"
    r"|(?P<text>[^<]+)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r" ([a-z][a-z0-9:-]*)=\"([^\"]*)\"")
_WORD = re.compile(r"LFTAG\d+X")
#: What Outlook alone reads is not held against the list of tags: it knows others, and runs nothing.
_ACTIVE = re.compile(
    r"<\s*/?\s*(script|iframe|frame|object|embed|applet|form|input|button|link|meta|base|svg|math)\b|[\s\"'/]on[a-z]+\s*="
    r"|(?:java|vb)script\s*:|\bdata\s*:|@import",
    re.IGNORECASE,
)
_ODD_COMMENT = re.compile(r"^-?>|--!|<!--")
_PLAIN_ADDRESS = re.compile(r"(?:(?:https?://|cid:)[^\s\x00-\x1f\x7f\\]+|(?!//)[^\s\x00-\x1f\x7f\\:]*)", re.IGNORECASE)
_MAIL_OR_PHONE = re.compile(r"(?:mailto|tel):[^\s\x00-\x1f\x7f\\]*|#[^\s\x00-\x1f\x7f\\]*", re.IGNORECASE)
_TARGET = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\\<>\ud800-\udfff]*")
_HIDDEN_TAG = re.compile(r"\{[{%#]")


class _UnsafeError(Exception):
    """What is wrong, and a pattern by which it may be found in what the marketer wrote."""

    def __init__(self, message: str, pattern: str = "") -> None:
        super().__init__(message)
        self.pattern = pattern


def refuse_unsafe(page: str, vault: Vault, source: str) -> None:
    """TemplateError, placed in `source`, for the first thing in `page` (its tags in `vault`) that no mail may have."""
    try:
        _Page(page, vault).check()
    except _UnsafeError as error:
        found = re.search(error.pattern, source, re.IGNORECASE) if error.pattern else None
        before = source[: found.start()] if found else ""
        line, column = (before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1) if found else (0, 0)
        raise TemplateError(str(error), line=line, column=column) from error


def _within() -> str:
    return _('a value may not stand within a tag: give it an attribute, alt="…" or title="…"')


def refuse_hidden_tags(page: str) -> None:
    """TemplateError when `page`, its tags still in the vault, has a beginning of one: an entity or escape became it."""
    if found := _HIDDEN_TAG.search(page):
        message = _('"{sign}" begins a tag, however it is written; show it with {{{{ "{sign}" }}}}').format(
            sign=found[0]
        )
        raise TemplateError(message)


class _Page:
    """HTML in canonical form, piece by piece."""

    def __init__(self, page: str, vault: Vault) -> None:
        self._page, self._vault = page, vault

    def check(self) -> None:
        inside = ""
        for piece in self._pieces():
            if inside in {"style", "title"} and piece["text"] is None and piece["end"] != inside:
                raise _UnsafeError(_('"<" may not stand in <{tag}>').format(tag=inside), rf"<\s*{inside}\b")
            if piece["comment"] is not None:
                self._comment(piece["comment"])
            elif piece["tag"]:
                inside = piece["tag"]
                self._tag(piece["tag"], dict(_ATTRIBUTE.findall(piece["attributes"])))
            elif piece["end"]:
                inside = ""
                self._known(piece["end"])
            elif piece["text"] is not None:
                self._text(piece["text"], inside)

    def _pieces(self) -> Iterator[re.Match[str]]:
        refuse_hidden_tags(self._page)
        at = 0
        while at < len(self._page):
            if (piece := _PIECE.match(self._page, at)) is None:
                self._unreadable(at)
            else:
                yield piece
                at = piece.end()

    def _unreadable(self, at: int) -> None:
        # The name of the tag as browsers read it; everything else about it is beyond saying.
        name = re.match(r"</?([^\s/>]*)", self._page[at : at + 60])
        word = name[1] if name and name[1] and not _WORD.search(name[1]) else ""
        if word and word not in _TAGS:
            self._known(word)
        if _WORD.search(self._page[at : at + 400].partition(">")[0]):
            raise _UnsafeError(_within())
        raise _UnsafeError(_('"{words}" is no HTML that a mail may have').format(words=self._page[at : at + 30]))

    def _known(self, tag: str) -> None:
        if tag not in _TAGS:
            raise _UnsafeError(_('"<{tag}>" may not stand in an email').format(tag=tag), rf"<\s*/?{re.escape(tag)}\b")

    def _comment(self, text: str) -> None:
        if _WORD.search(text):
            raise _UnsafeError(
                _("a value may not stand in a comment: write {# … #} for what nobody shall read"), "<!--"
            )
        if found := _ACTIVE.search(text) or _ODD_COMMENT.search(text):
            raise _UnsafeError(_('"{words}" may not stand in an email').format(words=found[0]), re.escape(found[0]))

    def _text(self, text: str, inside: str) -> None:
        if inside == "style":
            self._style(text)
        elif inside == "title":
            self._expressions(text)
        else:
            self._tags_of(text)

    def _tag(self, tag: str, attributes: dict[str, str]) -> None:
        self._known(tag)
        for name, value in attributes.items():
            if re.fullmatch(r"lftag\d+x", name):
                raise _UnsafeError(_within())
            if name not in _ATTRIBUTES and not name.startswith(("aria-", "data-")):
                raise _UnsafeError(_('"{name}" may not stand in a tag').format(name=name), rf"\b{re.escape(name)}\s*=")
            if name == "style":
                self._style(value)
            elif name == "href":
                self._link(tag, value)
            elif name in _ADDRESSES:
                self._address(value)
            elif name in _WORDS or name.startswith("aria-"):
                self._balanced(name, value)
            elif _WORD.search(value):
                self._brand_only(value, _('a value may not stand in {name}="…"').format(name=name))
        if tag == "meta":
            self._meta(attributes)

    def _meta(self, attributes: dict[str, str]) -> None:
        kind, charset = attributes.get("http-equiv", "content-type").lower(), attributes.get("charset", "utf-8").lower()
        content = attributes.get("content", "").lower().partition("charset=")[2].strip() or "utf-8"
        if kind not in _META or charset != "utf-8" or content != "utf-8":
            raise _UnsafeError(_('this "<meta>" may not stand in an email'), r"<\s*meta\b")

    def _link(self, tag: str, value: str) -> None:
        address = value.replace("&amp;", "&")
        tags = self._tags_of(address)
        if tag != "a" or (tags and not (_WORD.fullmatch(address) and is_link(tags[0]))):
            if not (tag == "a" and address.startswith("mailto:") and self._is_brand(tags)):
                raise _UnsafeError(_("a link's address is written whole, without values in it"), r"\bhref\s*=")
        elif not tags and not _MAIL_OR_PHONE.fullmatch(address):
            raise _UnsafeError(_('a link may not lead to "{address}"').format(address=address[:60]), r"\bhref\s*=")

    def _address(self, value: str) -> None:
        address = value.replace("&amp;", "&")
        self._brand_only(address, _("a picture's address is written whole, without values in it"))
        if not _PLAIN_ADDRESS.fullmatch(_WORD.sub("https://x", address, count=1) if _WORD.match(address) else address):
            message = _('a picture may not come from "{address}": write https://').format(address=value[:60])
            raise _UnsafeError(message, r"\b(src|background)\s*=")

    def _style(self, css: str) -> None:
        self._brand_only(css, _("a value may not stand in a style"))
        if found := refuse_css(css):
            raise _UnsafeError(_('"{words}" may not stand in a style').format(words=found), re.escape(found))

    def _brand_only(self, value: str, message: str) -> None:
        strange = next((tag for tag in self._tags_of(value) if not self._is_brand([tag])), None)
        if strange is not None:
            raise _UnsafeError(message, re.escape(strange))

    def _is_brand(self, tags: list[str]) -> bool:
        """Whether `tags` show what leadflow.yaml says, never what a person or a stranger typed."""
        return all(re.fullmatch(r"\{\{-?\s*(brand\.\w+|sender\.reply_to|language)\s*-?\}\}", tag) for tag in tags)

    def _balanced(self, name: str, value: str) -> None:
        """Blocks that begin in an attribute end in it: whichever way they go, its quotes stay where they are."""
        depth = 0
        for tag in self._tags_of(value):
            if tag.startswith("{%"):
                word = re.sub(r"^\{%[-+]?\s*", "", tag)
                depth += word.startswith(("if", "for")) - word.startswith("end")
                if depth < 0:
                    break
        if depth:
            raise _UnsafeError(_('{{% if %}} and {{% endif %}} stand both inside {name}="…"').format(name=name))

    def _expressions(self, text: str) -> None:
        if any(not tag.startswith("{{") for tag in self._tags_of(text)):
            raise _UnsafeError(_("a title has no {% if %}"), r"<\s*title\b")

    def _tags_of(self, text: str) -> list[str]:
        try:
            found = [self._vault.tag(word) for word in _WORD.findall(text)]
        except LookupError as error:
            raise _UnsafeError(_("LFTAG is a word this program needs for itself")) from error
        return [tag for tag in found if tag is not None]


def refuse_targets(targets: Iterable[str]) -> None:
    """TemplateError for an address with signs that no address has."""
    for target in targets:
        if not _TARGET.fullmatch(target):
            raise TemplateError(_('a link may not lead to "{address}"').format(address=target[:60]))


def most_signs(source: str) -> tuple[int, int] | None:
    """How many `<` and `"` a compiled template itself can write; None where a loop may write any number."""
    tree = parse_template(source)
    if next(tree.find_all(nodes.For), None) is not None:
        return None
    data = [node.data for node in tree.find_all(nodes.TemplateData)]
    return sum(text.count("<") for text in data), sum(text.count('"') for text in data)


def breaks_out(html: str, most: tuple[int, int] | None) -> bool:
    """Whether `html` has more of the two signs than its template: a value was not escaped."""
    return "\0" in html or (most is not None and (html.count("<") > most[0] or html.count('"') > most[1]))

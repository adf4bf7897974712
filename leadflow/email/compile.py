"""Turns an email as written into Jinja templates, once per version and language: Markdown, frame, MJML, CSS, links."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import css_inline
import mrml
from jinja2 import nodes

from leadflow.email.catalog import Email
from leadflow.email.markdown import ADDRESS, html_to_text, map_links, markdown_to_html
from leadflow.email.needs import forbidden_words, is_link, parse_template
from leadflow.email.output import most_signs, refuse_hidden_tags, refuse_targets, refuse_unsafe
from leadflow.email.protect import Vault
from leadflow.email.sandbox import HTML, TEXT
from leadflow.email.slots import Filled, Link, slots_of, with_slots
from leadflow.errors import TemplateError

# Rules that are inlined leave the head; media queries stay, since no attribute can say them.
_INLINER = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)
# Some fonts would be fetched from a stranger as soon as the mail is opened.
_NO_FONTS = mrml.RenderOptions(fonts={})
_RULES = re.compile(r"<head>(<style>.*?</style>)(.*?)</head>", re.DOTALL)
_CONTENT = re.compile(r"\{\{\s*content\s*\}\}")


class Base(Protocol):
    """templates/emails/_base, as the playbook holds it."""

    @property
    def layout(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def strings(self) -> Mapping[str, Mapping[str, str]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """One email in one language, ready to be filled in for a person."""

    name: str
    language: str
    version: str
    #: '' for the original.
    variant: str
    subject: Filled
    preheader: Filled
    html: Filled
    text: Filled
    #: Dotted name → text for a missing value.
    defaults: Mapping[str, str]
    #: The frame's words.
    strings: Mapping[str, str]
    #: Pages of the brand's site and whole addresses that its links lead to.
    pages: tuple[str, ...]
    urls: tuple[str, ...]
    #: Name in the context of HTML and text → (`page` or `url`, target): each link is made once a mail.
    slots: Mapping[str, Link]
    #: Signs by which a value would break out of its place in the HTML, at most; None where nobody knows.
    most: tuple[int, int] | None

    @property
    def parts(self) -> tuple[Filled, ...]:
        """Its four templates."""
        return self.subject, self.preheader, self.html, self.text


#: Texts a long-lived process meets again every few minutes; more than any playbook has.
_KEPT = 512
_kept: dict[str, Compiled] = {}


def compile_email(email: Email, language: str, base: Base) -> Compiled:
    """The templates of `email` in `language`, compiled once; TemplateError when a part cannot be used."""
    key = repr((language, email, base))
    found = _kept.get(key)
    if found is None:
        if len(_kept) >= _KEPT:
            _kept.clear()
        found = _kept[key] = _compile(email, language, base)
    return found


def _compile(email: Email, language: str, base: Base) -> Compiled:
    if language not in email.bodies or language not in email.subject:
        raise TemplateError(f"{email.name} has no body and subject in '{language}'")
    subject, preheader = email.subject[language], email.preheader.get(language, "")
    for source in (subject, preheader, email.bodies[language], email.texts.get(language, ""), base.layout, base.text):
        _refuse_forbidden(source)
    vault = Vault()
    body = _Body(email, language, vault)
    html, text = _framed_html(body, base, vault), _framed_text(body, base, vault)
    pages, urls = _targets("page", html, text), _targets("url", html, text)
    refuse_targets((*pages, *urls))
    slots = slots_of(pages, urls)
    return Compiled(
        name=email.name,
        language=language,
        version=email.version,
        variant=email.variant,
        subject=with_slots(TEXT, subject, slots),
        preheader=with_slots(TEXT, preheader, slots),
        html=with_slots(HTML, html, slots),
        text=with_slots(TEXT, text, slots),
        defaults={name: _in(texts, language) for name, texts in email.defaults.items()},
        strings={name: _in(texts, language) for name, texts in base.strings.items()},
        pages=pages,
        urls=urls,
        slots=slots,
        most=most_signs(html),
    )


class _Body:
    """A body as HTML and text, its tags in `vault`; every link is tracked."""

    def __init__(self, email: Email, language: str, vault: Vault) -> None:
        self.source = email.bodies[language]
        html = _as_html(email.kinds.get(language, "md"), vault.protect(self.source), vault)

        def tracked(href: str) -> str:
            return _tracked(href, vault)

        written = email.texts.get(language)
        # Addresses are tracked before they stand among words: there nobody knows any more where they end.
        self.text = html_to_text(html, tracked) if written is None else vault.protect(written)
        self.html = map_links(html, tracked)
        #: A whole document of its own does without the frame.
        self.is_whole = _is_whole(html)


def _as_html(kind: str, source: str, vault: Vault) -> str:
    match kind:
        case "md":
            return markdown_to_html(source, vault)
        case "mjml" if _is_whole(source):
            return _mjml(source)
        case "mjml":
            raise TemplateError("a body.mjml is a whole document: it begins with <mjml>")
        case _:
            return source


def _is_whole(source: str) -> bool:
    return source.lstrip().lower().startswith(("<mjml", "<!doctype", "<html"))


def _framed_html(body: _Body, base: Base, vault: Vault) -> str:
    # The content joins after MJML has run, so that it need not be XML.
    page = body.html if body.is_whole else _with_content(_mjml(vault.protect(base.layout)), body.html, vault)
    # A reader of the file must meet its charset within the first kilobyte, and the rules that stay are longer.
    inlined = _RULES.sub(r"<head>\2\1</head>", _inlined(page), count=1)
    finished = map_links(inlined, lambda href: _tracked(href, vault))
    refuse_unsafe(finished, vault, body.source)
    return vault.restore(finished)


def _inlined(page: str) -> str:
    try:
        return _INLINER.inline(page)
    except css_inline.InlineError as error:
        raise TemplateError("a style cannot be read; no value may stand in one") from error


def _framed_text(body: _Body, base: Base, vault: Vault) -> str:
    page = _with_content(vault.protect(base.text), body.text.strip(), vault)
    refuse_hidden_tags(page)
    return vault.restore(ADDRESS.sub(lambda match: _tracked(match[0], vault), page))


def _with_content(frame: str, content: str, vault: Vault) -> str:
    for word in vault.words_of(_CONTENT):
        frame = frame.replace(word, content)
    return frame


def _mjml(source: str) -> str:
    try:
        return str(mrml.to_html(source, None, _NO_FONTS).content)
    except OSError as error:
        raise TemplateError(f"this MJML cannot be read: {error}") from error


def _tracked(href: str, vault: Vault) -> str:
    """`href` as it may leave: a tracked link, a mail or phone address; TemplateError for anything else."""
    if (tag := vault.tag(href)) is not None:
        if is_link(tag):
            return href
    elif href.startswith(("http://", "https://")) and "LFTAG" not in href:
        return vault.keep("{{ links.url(" + _quoted(href) + ") }}")
    elif href.startswith(("mailto:", "tel:", "#")):
        return href
    allowed = 'links.page("…"), links.unsubscribe, links.preferences, links.confirm, https://, mailto: or tel:'
    raise TemplateError(f"a link leads to {allowed}, not to {tag or href}")


def _quoted(text: str) -> str:
    # A Jinja string literal reads backslash escapes.
    return '"' + text.replace("\\", "%5C").replace('"', "%22") + '"'


def _targets(function: str, *sources: str) -> tuple[str, ...]:
    """The literal arguments of links.<function> in compiled sources, each once, in order."""
    found = (target for source in sources for target in _arguments(function, source))
    return tuple(dict.fromkeys(found))


def _arguments(function: str, source: str) -> Iterator[str]:
    for call in parse_template(source).find_all(nodes.Call):
        match call:
            case nodes.Call(node=nodes.Getattr(attr=name)) if name != function:
                continue
            case nodes.Call(args=[nodes.Const(value=str() as target)]):
                yield target
            case _:
                raise TemplateError('links.page takes one text between quotes: links.page("pricing")', line=call.lineno)


def _refuse_forbidden(source: str) -> None:
    for word in forbidden_words(source):
        raise TemplateError(f"templates may not use the {word.kind} '{word.word}'", line=word.line, column=word.column)


def _in(texts: Mapping[str, str], language: str) -> str:
    """The text in `language`, else in the first language written."""
    return texts.get(language, next(iter(texts.values()), ""))

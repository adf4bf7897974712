"""`pages/<name>.<language>.md` (or .html): a head between two lines of `---`, and a text that is the same for all."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import SimpleNamespace

from jinja2 import TemplateError as JinjaError
from jinja2 import nodes

from leadflow.email.markdown import markdown_to_html
from leadflow.email.needs import forbidden_words, names_used, parse_template
from leadflow.email.preview import page_url
from leadflow.email.protect import Vault
from leadflow.email.sandbox import HTML, TEXT
from leadflow.errors import Fault, TemplateError
from leadflow.playbook.files import Files
from leadflow.playbook.known import Known, is_name, place_of, wrong_name
from leadflow.playbook.model import Brand, Page, PageText
from leadflow.playbook.page_markup import markup_faults
from leadflow.reading import Node, did_you_mean, read_yaml
from leadflow.text import _

FOLDER = "pages"
#: Bytes of a page as people fetch it, its frame and form included: those take twenty thousand at most.
LARGEST = 40_000
_FILE = re.compile(r"(?P<name>.+)\.(?P<language>[a-z]{2}(?:-[A-Z]{2})?)\.(?P<kind>md|html)")
_KEYS = ("title", "description", "image", "kind", "form", "behind", "listed")
_KINDS = {"page": "WebPage", "article": "Article"}
_NAMES = ("brand.name", "brand.site", "brand.postal_address", "language", "links.page")
#: What can make much of little: a page is filled in while visitors wait, in the process that serves them all.
_COSTLY: Mapping[type[nodes.Node], str] = {nodes.For: "for", nodes.Assign: "set"}
_COSTLY_FILTERS = frozenset({"replace", "join"})


def pages_of(files: Files, known: Known, brand: Brand, forms: Mapping[str, object]) -> Mapping[str, Page]:
    """Name → page, of the folder; faults noted on the way."""
    found: dict[str, list[tuple[str, PageText, Node]]] = {}
    order = {language: place for place, language in enumerate(known.languages)}
    for path in files.names(FOLDER):
        match = _FILE.fullmatch(PurePosixPath(path).name)
        if match is None or match["language"] not in known.languages:
            wanted = f"quote.{known.languages[0]}.md"
            files.fault(path, _("nobody reads this file: a page is called {file}").format(file=wanted))
        elif not is_name(match["name"]):
            files.fault(path, wrong_name())
        elif (read := _read(path, match["language"], match["kind"], files, brand, forms)) is not None:
            found.setdefault(match["name"], []).append((match["language"], *read))
    for texts in found.values():
        texts.sort(key=lambda text: order[text[0]])
    return {name: _page(name, texts, known, files) for name, texts in found.items()}


def _page(name: str, texts: list[tuple[str, PageText, Node]], known: Known, files: Files) -> Page:
    """One page of its texts, which say the same of where it stands."""
    head = texts[0][2]
    for language, _text, other in texts[1:]:
        for key in ("form", "behind", "listed"):
            if other.part(key).raw != head.part(key).raw:
                told = _("{key} differs from {file}: a page is one in all languages")
                (other if other.part(key).absent else other.part(key)).fault(
                    told.format(key=f"{key} ({language})", file=head.file)
                )
    for language in known.languages:
        if not any((files.workspace / FOLDER / f"{name}.{language}.{kind}").is_file() for kind in ("md", "html")):
            told = _("there is no {path}: who reads {language} reads this one")
            head.fault(told.format(path=f"{FOLDER}/{name}.{language}.md", language=language), warning=True)
    listed = head.part("listed").boolean()
    return Page(
        name=name,
        texts={language: text for language, text, _head in texts},
        form=head.part("form").text() or "",
        behind=head.part("behind").text() or "",
        listed=listed is not False and head.part("behind").absent,
        place=place_of(head),
    )


def _read(
    path: str, language: str, kind: str, files: Files, brand: Brand, forms: Mapping[str, object]
) -> tuple[PageText, Node] | None:
    source = files.text(path)
    if source is None:
        return None
    found = re.match(r"---\n(.*?)^---[ \t]*\n", source, re.DOTALL | re.MULTILINE)
    if found is None:
        files.fault(
            path, _("a page begins with a line ---, its title and description, and another line ---"), line=1, column=1
        )
        return None
    # The first line becomes a comment, so that the places of what follows are those of the file.
    head = read_yaml(path, f"#\n{found[1]}", files.faults)
    if head is None or not head.is_mapping:
        return None
    head.only(*_KEYS)
    for key in ("form", "behind"):
        if not head.part(key).absent:
            head.part(key).choice(list(forms))
    body = source[found.end() :]
    line = source[: found.end()].count("\n")
    html = _filled(path, body, line, kind, language, files.faults, brand)
    return (
        PageText(
            title=head.part("title", needed=True).text() or "",
            description=_description(head),
            html=html,
            image=_image(head, brand),
            kind=_KINDS[head.part("kind").choice(list(_KINDS)) or "page"],
        ),
        head,
    )


def _description(head: Node) -> str:
    node = head.part("description", needed=True)
    text = node.text() or ""
    if text and not 50 <= len(text) <= 160:
        node.fault(_("{n} characters: search engines show 50 to 160 of them").format(n=len(text)), warning=True)
    return text


def _image(head: Node, brand: Brand) -> str:
    node = head.part("image")
    text = node.text() or ""
    if text and not text.startswith("https://"):
        node.fault(_("an image has its whole address: {example}").format(example=f"{brand.site}/images/guide.jpg"))
    return text


def _filled(path: str, body: str, line: int, kind: str, language: str, faults: list[Fault], brand: Brand) -> str:
    """The HTML of a text, '' with faults where it may not be used."""
    found = [Fault(file=path, line=line + row, column=column, message=told) for row, column, told in _wrong(body)]
    if not found:
        try:
            text = (HTML if kind == "html" else TEXT).from_string(body).render(_context(language, brand))
            html = text if kind == "html" else markdown_to_html(text, Vault())
        except (JinjaError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            html, told = "", _("this is no template: {error}").format(error=type(error).__name__)
            found.append(Fault(file=path, line=line + 1, column=1, message=told))
        if kind == "html":
            found += [
                Fault(file=path, line=line + row, column=column, message=told)
                for row, column, told in markup_faults(html)
            ]
        if (size := len(html.encode())) > LARGEST:
            told = _("{n} kB of text: {most} at most, so that the page comes at once on any telephone")
            found.append(Fault(file=path, message=told.format(n=size // 1000, most=LARGEST // 1000)))
    faults += found
    return "" if found else html


def _context(language: str, brand: Brand) -> dict[str, object]:
    known = SimpleNamespace(name=brand.name, site=brand.site, postal_address=brand.postal_address)
    links = SimpleNamespace(page=lambda path: page_url(brand.site, str(path)))
    return {"language": language, "brand": known, "links": links}


def _wrong(body: str) -> list[tuple[int, int, str]]:
    """(line, column, words) of what a page may not say to Jinja."""
    try:
        forbidden, used, tree = forbidden_words(body), names_used(body), parse_template(body)
    except TemplateError as error:
        return [(error.line or 1, error.column or 1, _("this is no template: {error}").format(error=str(error)))]
    told = _('"{word}" may not be used in a template')
    found = [(one.line, one.column, told.format(word=one.word)) for one in forbidden]
    for kind, word in _COSTLY.items():
        found += [(node.lineno, 1, told.format(word=word)) for node in tree.find_all(kind)]
    filters = [node for node in tree.find_all(nodes.Filter) if node.name in _COSTLY_FILTERS]
    found += [(node.lineno, 1, told.format(word=node.name)) for node in filters]
    for use in used:
        if use.name not in _NAMES:
            words = _('"{name}" is not known on a page: nobody is known there.').format(name=use.name)
            found.append((use.line, use.column, words + did_you_mean(use.name, _NAMES)))
    return found

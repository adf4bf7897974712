"""Looks over what marketers wrote in emails: each finding of `leadflow.email.checks` at its place in its file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from pathlib import PurePosixPath

from leadflow.email.catalog import Email
from leadflow.email.checks.body import Around, behind_content, check_body, check_law, check_text, ids_of, is_whole
from leadflow.email.checks.envelope import check_preheader, check_subject, check_words
from leadflow.email.checks.mjml import check_mjml
from leadflow.email.checks.page import Page, check_page
from leadflow.email.checks.parts import check_parts
from leadflow.email.checks.rows import CHECKS, Finding
from leadflow.email.checks.source import Written
from leadflow.email.checks.weight import check_weight
from leadflow.email.pool import compiler
from leadflow.errors import Fault, Severity, TemplateError
from leadflow.playbook.files import Files
from leadflow.playbook.model import Base
from leadflow.reading import Node
from leadflow.text import current_language
from leadflow.types import Purpose

FOLDER = "templates/emails"
BASE = f"{FOLDER}/_base"
#: More than the emails of any playbook have parts; what did not change is not looked over again.
_KEPT = 4096
#: What Markdown comes to stands in any frame alike, and in this one in a third of the time.
_SMALL = Base(
    layout="<mjml><mj-body><mj-raw>{{ content }}</mj-raw></mj-body></mjml>",
    text="{{ content }}",
    strings={},
)
#: Findings of one text: whoever has so many reads no further.
_MOST = 200


class Lint:
    """The emails of one workspace, looked over; what is told is in the language people read."""

    def __init__(self, files: Files, base: Base, *, known: Iterable[str], language: str) -> None:
        self.files, self.base, self.language = files, base, language
        self.ids, self.behind = _frame_read(base.layout)
        self.known = frozenset(known)

    def frame(self) -> Iterator[Fault]:
        """Faults of `_base`: its two layouts and its snippets."""
        layout, text = f"{BASE}/layout.mjml", f"{BASE}/layout.txt"
        if source := self._source(layout):
            found = _layout(source, self.base.layout, self.language)
            yield from _faults(layout, found)
            if _is_sound(found):
                yield from _refused(_plain_email(self.language), self.language, self.base, layout)
        if source := self._source(text):
            yield from _faults(text, _law(source, self.base.text, True))
        yield from self._strings()
        for path in [path for path in self.files.read if path.startswith(f"{BASE}/snippets/")]:
            stem, _dot, kind = PurePosixPath(path).name.rpartition(".")
            language = stem.partition(".")[2] or self.language
            if kind in ("md", "html"):
                yield from _faults(path, _body(self._source(path), kind, language, self._around(None, language)))

    def _strings(self) -> Iterator[Fault]:
        """The words around every email."""
        root = self.files.yaml(f"{BASE}/strings.yaml")
        for _name, texts in root.named() if root else ():
            for language, node in texts.named() if texts.is_mapping else ():
                found = _string(node.raw, language)
                yield from (_at(node, self._source(node.file), finding) for finding in found)

    def email(self, email: Email, root: Node) -> Iterator[Fault]:
        """Faults of one email, and of what each variant has of its own; `root` is its email.yaml."""
        for draft in email.drafts:
            node = root.part("variants").part(draft.variant) if draft.variant else root
            for language in email.bodies:
                yield from self._lines(node, language)
                yield from self._bodies(draft, language)

    def _bodies(self, email: Email, language: str) -> Iterator[Fault]:
        kind, body = email.kinds[language], email.bodies[language]
        path = f"{FOLDER}/{email.name}/{email.body_file(language)}"
        source, around = self._source(path), self._around(email, language, ids_of(body, kind))
        found = [*_body(source, kind, language, around)]
        if is_whole(body) and email.purpose is not Purpose.SERVICE:
            found += _law(source, body, False)
        sound = _is_sound(found)
        if sound:
            found += _weight(body, kind, is_whole(body), self.base.layout)
        yield from _faults(path, found)
        if sound and not self._is_wrong(email):
            yield from _refused(email, language, _SMALL if kind == "md" else self.base, path)
        if language in email.texts:
            path = f"{FOLDER}/{email.name}/{email.text_file(language)}"
            source = self._source(path)
            yield from _faults(path, _text(source, language, around))
            yield from _faults(path, _parts(source, email.texts[language], body, kind))

    def _is_wrong(self, email: Email) -> bool:
        """Whether something it is made of has an error already: the compiler would say the same of it."""
        folders = (f"{FOLDER}/{email.name}/", f"{BASE}/")
        return any(fault.file.startswith(folders) and fault.severity is Severity.ERROR for fault in self.files.faults)

    def _lines(self, root: Node, language: str) -> Iterator[Fault]:
        for key, check in (("subject", _subject), ("preheader", _preheader)):
            node = root.part(key)
            node = node.part(language) if node.is_mapping else node
            if node.is_scalar and not node.is_empty:
                yield from (_at(node, self._source(node.file), finding) for finding in check(node.raw, language))

    def _around(self, email: Email | None, language: str, ids: frozenset[str] = frozenset()) -> "_Around":
        defaults = email.defaults if email else {}
        said = tuple(sorted((name, texts[language]) for name, texts in defaults.items() if language in texts))
        return self.ids | ids, self.behind, self.known, said

    def _source(self, path: str) -> str:
        return self.files.read.get(path, b"").decode("utf-8-sig", "replace")


_Around = tuple[frozenset[str], str | None, frozenset[str], tuple[tuple[str, str], ...]]


def _at(node: Node, file: str, finding: Finding) -> Fault:
    """A finding in a scalar of a YAML file, at its sign where the scalar stands there sign for sign."""
    lines = file.splitlines()
    written = lines[node.line - 1][node.column - 1 + node.quoted :] if node.line <= len(lines) else ""
    column = node.column + node.quoted + finding.column - 1 if written.startswith(node.raw) else node.column
    return replace(finding.fault(node.file), line=node.line, column=column)


def _faults(path: str, findings: Iterable[Finding]) -> Iterator[Fault]:
    return (finding.fault(path) for finding in findings)


def _is_sound(found: Iterable[Finding]) -> bool:
    return all(CHECKS[one.code].severity is Severity.WARNING for one in found)


def _plain_email(language: str) -> Email:
    """An email that is refused only where the frame is."""
    return Email(name="_base", subject={language: "-"}, bodies={language: "-"}, kinds={language: "md"})


def _refused(email: Email, language: str, base: Base, path: str) -> Iterator[Fault]:
    """A fault where the compiler refuses what the checks let pass: then nothing of it is sent."""
    if language not in email.subject:
        return
    try:
        # In a child: a page that is read for its words can take a minute, and a template all memory.
        compiler().compile(email, language, base)
    except TemplateError as error:
        yield Fault(file=path, line=error.line, column=error.column, message=str(error), code="refused")


# What follows is pure: the same text is looked over once, however often a workspace is read.
def _kept(check: Callable[..., Iterable[Finding]]) -> Callable[..., tuple[Finding, ...]]:
    @lru_cache(maxsize=_KEPT)
    def looked_over(_speech: str, *given: object) -> tuple[Finding, ...]:
        return tuple(islice(check(*given), _MOST))

    return lambda *given: looked_over(current_language(), *given)


@_kept
def _layout(source: str, whole: str, language: str) -> Iterator[Finding]:
    page = Page(Written(source))
    yield from check_page(page, language=language, ids=frozenset(), behind=None)
    yield from check_mjml(page)
    yield from check_law(whole, page.written)


@_kept
def _law(source: str, whole: str, text: bool) -> Iterator[Finding]:
    return check_law(whole, Written(source), text=text)


@_kept
def _body(source: str, kind: str, language: str, around: _Around) -> Iterator[Finding]:
    return check_body(source, kind=kind, language=language, around=_unpacked(around))


@_kept
def _text(source: str, language: str, around: _Around) -> Iterator[Finding]:
    return check_text(source, language=language, around=_unpacked(around))


@_kept
def _subject(line: str, language: str) -> Iterator[Finding]:
    return check_subject(Written(line), language)


@_kept
def _string(line: str, language: str) -> Iterator[Finding]:
    return check_words(Written(line), language)


@_kept
def _preheader(line: str, language: str) -> Iterator[Finding]:
    return check_preheader(Written(line), language)


@_kept
def _weight(source: str, kind: str, whole: bool, layout: str) -> Iterator[Finding]:
    return check_weight(source, kind=kind, whole=whole, layout=layout)


_parts = _kept(check_parts)


@lru_cache(maxsize=16)
def _frame_read(layout: str) -> tuple[frozenset[str], str | None]:
    return ids_of(layout, "mjml"), behind_content(layout)


def _unpacked(around: _Around) -> Around:
    ids, behind, known, defaults = around
    return Around(ids=ids, behind=behind, known=known, defaults=dict(defaults))

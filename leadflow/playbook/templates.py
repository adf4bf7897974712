"""What the templates of the emails use: unknown names and forbidden words located, needs by language collected."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache

from leadflow.email.catalog import Email
from leadflow.email.misuse import Misuse, misused
from leadflow.email.names import ALWAYS, FILTERS, FRAME, allowed_names, kinds_of
from leadflow.email.needs import Forbidden, Used, forbidden_words, names_used
from leadflow.email.snippets import blanked, included, put_in
from leadflow.errors import Fault, Severity, TemplateError
from leadflow.playbook.files import Files
from leadflow.playbook.known import Known
from leadflow.playbook.snippets import FOLDER as SNIPPETS
from leadflow.playbook.snippets import Snippets
from leadflow.reading import Node, did_you_mean, nearest
from leadflow.text import _, current_language

#: What takes the escaping off.
_LETS_IN = ("safe", "autoescape")
#: People lack these, never the others.
_LACKING = ("lead.", "company.")


class Templates:
    """Checks sources against the names a playbook declares."""

    def __init__(self, known: Known, files: Files, look: Mapping[str, str]) -> None:
        self.faults, self.look = files.faults, look
        declared = {spec.name: str(spec.type) for spec in known.vocabulary.fields.values() if not spec.builtin}
        self.allowed, self.kinds = allowed_names(declared), tuple(kinds_of(declared).items())
        self.snippets = Snippets(files, known.languages)
        for file, text in self.snippets.texts.items():
            source = Source(f"{SNIPPETS}/{file}", text)
            for one in included(text):
                self._fault(source, one.line, one.column, _("a snippet includes no other snippet"))
            self._check(source, self.allowed)

    def frame(self, file: str, source: str, strings: Collection[str]) -> str:
        """A layout of _base with its snippets and the brand's look; faults noted on the way."""
        words = {f"strings.{name}" for name in strings}
        frame = {name for name in FRAME if not name.startswith("strings.")}
        return self._put_in(Source(file, source), file.rpartition(".")[2], "", self.allowed | frame | words)

    def body(self, file: str, source: str, kind: str, language: str) -> str:
        """A body or text as it is compiled, snippets and look in their places; faults noted on the way."""
        return self._put_in(Source(file, source), kind, language, self.allowed)

    def check_email(self, email: Email, root: Node) -> Mapping[str, frozenset[str]]:
        """Language → names without a default that one of its texts needs; faults of email.yaml noted on the way."""
        strange = [key for key, _value in root.part("defaults").items() if key.raw not in self.allowed]
        for key in strange:
            key.fault(_unknown(key.raw, self.allowed))
        nodes = (root, *(root.part("variants").part(one.name) for one in email.variants))
        needs: dict[str, frozenset[str]] = {}
        for draft, node in zip(email.drafts, nodes, strict=True):
            for language in draft.bodies:
                needs[language] = needs.get(language, frozenset()) | self._needs(draft, node, language)
        return needs

    def _needs(self, email: Email, root: Node, language: str) -> frozenset[str]:
        """Of one text of an email; faults of the lines that `root` has of its own noted on the way."""
        lines = list(_lines(root, language))
        for line in lines:
            for one in included(line.text):
                self._fault(line, one.line, one.column, _("subjects and preheaders include no snippet"))
            self._check(line, self.allowed, look={})
        texts = [email.bodies[language], email.texts.get(language, ""), *(line.text for line in lines)]
        return frozenset(use.name for text in texts for use in _names(text) if _may_lack(use, email, language))

    def _put_in(self, source: "Source", kind: str, language: str, allowed: Collection[str]) -> str:
        self._check(source, allowed)
        for one in included(source.text):
            if told := self.snippets.refusal(one.snippet, kind, language):
                self._fault(source, one.line, one.column, told)
        found = self.snippets.of(kind, language)
        return put_in(source.text, self.look, lambda name: put_in(found(name), self.look, str), apart=kind == "md")

    def _check(self, source: "Source", allowed: Collection[str], *, look: Mapping[str, str] | None = None) -> None:
        """A fault for each name that is not allowed, each forbidden word, each filter given what it cannot write.

        Names of `look` (the brand's, unless given) are put in where they stand alone.
        """
        text = blanked(source.text, self.look if look is None else look)
        try:
            (used, forbidden), misuses = _read(text), _misused(current_language(), text, self.kinds)
        except TemplateError as error:
            self._fault(source, error.line or 1, error.column or 1, _plain_words(str(error)))
            return
        strange = {(use.line, use.column) for use in used if use.name not in allowed}
        for word in forbidden:
            # A name that there is not is told of below: what it was to do is no second fault.
            if (word.line, word.column) not in strange:
                self._fault(source, word.line, word.column, _forbidden(word))
        for use in _first_of_line(used):
            if use.name in self.look:
                told = _("{name} stands in bodies and layouts, alone between braces: {{{{ {name} }}}}").format(
                    name=use.name
                )
                self._fault(source, use.line, use.column, told)
            elif use.name not in allowed:
                self._fault(source, use.line, use.column, _unknown(use.name, {*allowed, *self.look}))
        for misuse in misuses:
            self._fault(source, misuse.line, misuse.column, misuse.message, warning=misuse.harmless)

    def _fault(self, source: "Source", line: int, column: int, message: str, *, warning: bool = False) -> None:
        line, column = source.place(line, column)
        severity = Severity.WARNING if warning else Severity.ERROR
        self.faults.append(Fault(file=source.file, line=line, column=column, message=message, severity=severity))


class Source:
    """The text of a template and where its first character stands."""

    def __init__(self, file: str, text: str, *, line: int = 1, column: int = 1) -> None:
        self.file, self.text, self.line, self.column = file, text, line, column

    def place(self, line: int, column: int) -> tuple[int, int]:
        """Where a place of the text stands in its file."""
        return self.line + line - 1, column + (self.column - 1 if line == 1 else 0)


def _first_of_line(used: Sequence[Used]) -> Iterator[Used]:
    """A name that stands twice in a line, as under an `if` of its own, was misspelt once."""
    return iter({(use.line, use.name): use for use in reversed(used)}.values())


def _plain_words(error: str) -> str:
    """What the template language says, in words for people who only write mails."""
    if error.startswith("Unexpected end of template"):
        return _("a block is never closed: write {% endif %} or {% endfor %} where it ends")
    return _("this is no template: {error}").format(error=error)


def _forbidden(found: Forbidden) -> str:
    word = found.word
    if word == "include":
        return _('include takes the name of a snippet between quotes: {{% include "signature" %}}').format()
    if word in _LETS_IN:
        return _('"{word}" would let in as HTML what people typed: remove it, values are escaped for you').format(
            word=word
        )
    if found.kind == "filter":
        return _('"{word}" is no filter of templates.').format(word=word) + did_you_mean(word, FILTERS)
    return _('"{word}" may not be used in a template').format(word=word)


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[Sequence[Used], Sequence[Forbidden]]:
    """The names and the forbidden words of a text; most are what they were the last time a workspace was read."""
    return tuple(names_used(text)), tuple(forbidden_words(text))


@lru_cache(maxsize=1024)
def _misused(_speech: str, text: str, kinds: tuple[tuple[str, str], ...]) -> Sequence[Misuse]:
    """What filters are asked for in vain; told in one language."""
    return tuple(misused(text, dict(kinds)))


def _names(text: str) -> Sequence[Used]:
    try:
        return _read(text)[0]
    except TemplateError:
        # Its file says so already.
        return ()


def _lines(root: Node, language: str) -> Iterator[Source]:
    """Subject and preheader."""
    for key in ("subject", "preheader"):
        node = root.part(key)
        node = node.part(language) if node.is_mapping else node
        if not node.absent:
            yield Source(node.file, node.raw, line=node.line, column=node.column + node.quoted)


def _may_lack(use: Used, email: Email, language: str) -> bool:
    if use.guarded or use.name in ALWAYS or not use.name.startswith(_LACKING):
        return False
    return language not in email.defaults.get(use.name, {})


def _unknown(name: str, allowed: Collection[str]) -> str:
    head, _dot, tail = name.partition(".")
    siblings = [word.partition(".")[2] for word in allowed if word.startswith(f"{head}.")]
    near = nearest(tail, siblings)
    near = f"{head}.{near}" if near else None if siblings else nearest(name, allowed)
    if near:
        return _("{name}: did you mean {near}?").format(name=name, near=near)
    return _("{name} is no name that templates may use").format(name=name)

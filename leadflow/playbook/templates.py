"""What the templates of the emails use: unknown names and forbidden words located, needs by language collected."""

from collections.abc import Collection, Iterator, Mapping

from leadflow.email.catalog import Email
from leadflow.email.names import ALWAYS, FRAME, allowed_names
from leadflow.email.needs import Used, forbidden_words, names_used
from leadflow.errors import Fault, TemplateError
from leadflow.playbook.known import Known
from leadflow.reading import Node, nearest
from leadflow.text import _

#: People lack these, never the others.
_LACKING = ("lead.", "company.")
LONGEST_SUBJECT = 60
PREHEADER = range(40, 111)


class Templates:
    """Checks sources against the names a playbook declares."""

    def __init__(self, known: Known, faults: list[Fault]) -> None:
        self.faults = faults
        declared = [spec.name for spec in known.vocabulary.fields.values() if not spec.builtin]
        self.allowed = allowed_names(declared)

    def check_frame(self, file: str, source: str, strings: Collection[str]) -> None:
        """Faults of a layout of _base."""
        words = {f"strings.{name}" for name in strings}
        frame = {name for name in FRAME if not name.startswith("strings.")}
        self._uses(Source(file, source), self.allowed | frame | words)

    def check_email(self, email: Email, root: Node, folder: str) -> Mapping[str, frozenset[str]]:
        """Language → names without a default that are needed; faults noted on the way."""
        strange = [key for key, _value in root.part("defaults").items() if key.raw not in self.allowed]
        for key in strange:
            key.fault(_unknown(key.raw, self.allowed))
        needs = {}
        for language in email.bodies:
            sources = [*_files(email, folder, language), *_lines(root, language)]
            used = [use for source in sources for use in self._uses(source, self.allowed)]
            needs[language] = frozenset(use.name for use in used if _may_lack(use, email, language))
        _check_lengths(root)
        return needs

    def _uses(self, source: "Source", allowed: Collection[str]) -> list[Used]:
        """Every name used in `source`; a fault for each that is not allowed."""
        try:
            used, forbidden = names_used(source.text), forbidden_words(source.text)
        except TemplateError as error:
            self._fault(source, error.line or 1, error.column or 1, _plain_words(str(error)))
            return []
        for word in forbidden:
            message = _('"{word}" may not be used in a template').format(word=word.word)
            self._fault(source, word.line, word.column, message)
        for use in used:
            if use.name not in allowed:
                self._fault(source, use.line, use.column, _unknown(use.name, allowed))
        return used

    def _fault(self, source: "Source", line: int, column: int, message: str) -> None:
        place = source.place(line, column)
        self.faults.append(Fault(file=source.file, line=place[0], column=place[1], message=message))


class Source:
    """The text of a template and where its first character stands."""

    def __init__(self, file: str, text: str, *, line: int = 1, column: int = 1) -> None:
        self.file, self.text, self.line, self.column = file, text, line, column

    def place(self, line: int, column: int) -> tuple[int, int]:
        """Where a place of the text stands in its file."""
        return self.line + line - 1, column + (self.column - 1 if line == 1 else 0)


def _plain_words(error: str) -> str:
    """What the template language says, in words for people who only write mails."""
    if error.startswith("Unexpected end of template"):
        return _("a block is never closed: write {% endif %} or {% endfor %} where it ends")
    return _("this is no template: {error}").format(error=error)


def _files(email: Email, folder: str, language: str) -> Iterator[Source]:
    yield Source(f"{folder}/body.{language}.{email.kinds[language]}", email.bodies[language])
    if language in email.texts:
        yield Source(f"{folder}/body.{language}.txt", email.texts[language])


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


def _check_lengths(root: Node) -> None:
    """Warnings for subjects and preheaders that a mailbox cuts, or fills up with what comes next."""
    for _language, subject in _each(root.part("subject")):
        if len(subject.raw) > LONGEST_SUBJECT and "{" not in subject.raw:
            message = _("the subject has {n} characters; mailboxes cut after {limit}")
            subject.fault(message.format(n=len(subject.raw), limit=LONGEST_SUBJECT), warning=True)
    for _language, preheader in _each(root.part("preheader")):
        if len(preheader.raw) not in PREHEADER and "{" not in preheader.raw:
            message = _("the preheader has {n} characters; {least} to {most} show whole in a mailbox")
            least, most = PREHEADER[0], PREHEADER[-1]
            preheader.fault(message.format(n=len(preheader.raw), least=least, most=most), warning=True)


def _each(node: Node) -> list[tuple[str, Node]]:
    return list(node.named()) if node.is_mapping else [] if node.absent else [("", node)]

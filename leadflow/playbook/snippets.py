"""`templates/emails/_base/snippets/`: what several emails say alike; `signature.fr.md`, or `rule.html` for all."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

from leadflow.email.snippets import SNIPPET
from leadflow.playbook.files import Files
from leadflow.reading import did_you_mean
from leadflow.text import _

FOLDER = "templates/emails/_base/snippets"
_FILE = re.compile(rf"({SNIPPET.pattern})(?:\.([a-zA-Z-]+))?\.(md|html|mjml|txt)")
#: Kind of a body → the kinds of snippet that can stand in it, the best first.
_FITS = {"md": ("md",), "html": ("html",), "mjml": ("mjml", "html"), "txt": ("txt", "md")}


class Snippets:
    """The snippets of a workspace; faults are noted while they are read."""

    def __init__(self, files: Files, languages: Sequence[str]) -> None:
        #: File → text.
        self.texts: dict[str, str] = {}
        for path in files.names(FOLDER):
            file = PurePosixPath(path).name
            found = _FILE.fullmatch(file)
            if found is None or (found[2] or languages[0]) not in languages:
                wanted = f"signature.{languages[0]}.md"
                files.fault(path, _("nobody reads this file: a snippet is called {file}").format(file=wanted))
            elif (text := files.text(path)) is not None:
                self.texts[file] = text

    def of(self, kind: str, language: str) -> Callable[[str], str]:
        """Name → text, for a body of `kind` in `language`; empty for a snippet there is not."""
        return lambda name: next((self.texts[file] for file in _names(name, kind, language) if file in self.texts), "")

    def refusal(self, name: str, kind: str, language: str) -> str | None:
        """Why a body of `kind` in `language` cannot include `name`; None when it can."""
        if SNIPPET.fullmatch(name) is None:
            return _('"{name}" is no name of a snippet: small letters, digits and -, no path').format(name=name)
        wanted = list(_names(name, kind, language))
        if any(file in self.texts for file in wanted):
            return None
        told = _("there is no snippet {folder}/{file}.").format(folder=FOLDER, file=wanted[0])
        return told + did_you_mean(name, sorted({file.partition(".")[0] for file in self.texts} - {name}))


def _names(name: str, kind: str, language: str) -> Iterator[str]:
    for fits in _FITS[kind]:
        if language:
            yield f"{name}.{language}.{fits}"
        yield f"{name}.{fits}"

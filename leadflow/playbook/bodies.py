"""The bodies in an email's folder: one a language, and of each variant those it has of its own."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from leadflow.playbook.files import Files
from leadflow.playbook.known import Known
from leadflow.playbook.templates import Templates
from leadflow.reading import did_you_mean
from leadflow.text import _

#: body.fr.md, or body.<variant>.fr.md.
_BODY = re.compile(r"body(?:\.([^.]+))?\.([a-zA-Z-]+)\.(md|html|mjml|txt)")
KINDS = ("md", "html", "mjml", "txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    """Language → source and kind of a body, and source of a hand-written text part."""

    sources: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def bodies_in(
    folder: str, variants: Collection[str], files: Files, known: Known, templates: Templates
) -> Mapping[str, Bodies]:
    """Variant → its bodies, '' for the original; a fault for each file that is none."""
    found = {name: Bodies() for name in ("", *variants)}
    for path in files.names(folder):
        file = PurePosixPath(path).name
        match = _BODY.fullmatch(file)
        if match is None or match[2] not in known.languages or (match[1] or "") not in found:
            if file != "email.yaml":
                files.fault(path, _unknown_file(file, found, known))
            continue
        bodies, language, kind = found[match[1] or ""], match[2], match[3]
        if kind != "txt" and language in bodies.sources:
            files.fault(path, _("there are two bodies in {language}").format(language=language))
            continue
        source = files.text(path)
        if source is None:
            continue
        source = templates.body(path, source, kind, language)
        if kind == "txt":
            bodies.texts[language] = source
        else:
            bodies.sources[language], bodies.kinds[language] = source, kind
    return found


def _unknown_file(file: str, variants: Collection[str], known: Known) -> str:
    stems = [f"body.{name}" if name else "body" for name in variants]
    wanted = [f"{stem}.{language}.{kind}" for stem in stems for language in known.languages for kind in KINDS]
    return _('"{file}" is no file of an email.').format(file=file) + did_you_mean(file, ["email.yaml", *wanted])

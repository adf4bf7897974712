"""What templates share, put in before they are compiled: `{% include "signature" %}` and the brand's look."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

#: Comments and raw stretches come first: what stands in them is no tag.
_TAG = re.compile(
    r"\{#.*?#\}"
    r"|\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}"
    r"|\{%[-+]?\s*include\s+([\"'])(?P<snippet>[^\"'\n]*)\1\s*[-+]?%\}"
    r"|\{\{[-+]?\s*(?P<look>brand\.(?:colors\.\w+|font))\s*[-+]?\}\}",
    re.DOTALL,
)
#: Signs that snippets may add to one text.
_ROOM = 400_000
#: A snippet is a file of one folder, never a path.
SNIPPET = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Included:
    """One `{% include "…" %}`; lines and columns count from 1."""

    snippet: str
    line: int
    column: int


def included(source: str) -> Iterator[Included]:
    """The snippets that `source` names, in its order."""
    for match in _TAG.finditer(source):
        if match["snippet"] is not None:
            before = source[: match.start()]
            yield Included(match["snippet"], before.count("\n") + 1, match.start() - before.rfind("\n"))


def put_in(source: str, look: Mapping[str, str], snippet: Callable[[str], str], *, apart: bool = False) -> str:
    """`source` with its snippets and the brand's look in their places.

    With `apart`, as Markdown asks, a snippet alone on its line is a paragraph of its own. What comes to more than
    a mail can be is cut short: the compiler refuses it.
    """
    room = _ROOM

    def replaced(match: re.Match[str]) -> str:
        nonlocal room
        if match["snippet"] is not None:
            if room <= 0:
                return ""
            text = snippet(match["snippet"]).strip("\n")
            room -= len(text)
            return f"\n\n{text}\n\n" if apart and _is_alone(source, match) else text
        return look.get(match["look"], match[0]) if match["look"] else match[0]

    return _TAG.sub(replaced, source)


def blanked(source: str, look: Mapping[str, str]) -> str:
    """`source` with blanks for snippets and look: everything else stands where it stood."""

    def blank(match: re.Match[str]) -> str:
        known = match["snippet"] is not None or match["look"] in look
        return re.sub(r"[^\n]", " ", match[0]) if known else match[0]

    return _TAG.sub(blank, source)


def _is_alone(source: str, match: re.Match[str]) -> bool:
    before, after = source[: match.start()].rpartition("\n")[2], source[match.end() :].partition("\n")[0]
    return not before.strip() and not after.strip()

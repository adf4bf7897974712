"""Keeps Jinja's tags out of the way while Markdown, MJML and CSS are worked on, and puts them back afterwards."""

import re
from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError

from leadflow.errors import TemplateError

_LEXER = Environment(autoescape=True)
_ENDS = {"variable_begin": "variable_end", "block_begin": "block_end", "comment_begin": "comment_end"}


class Vault:
    """Plain words that stand for Jinja tags: letters and digits only, so every later tool leaves them whole."""

    def __init__(self) -> None:
        self._tags: list[str] = []
        self._blocks: set[str] = set()

    def protect(self, source: str) -> str:
        """`source` with a plain word in the place of each tag; comments vanish."""
        if "LFTAG" in source:
            raise TemplateError("LFTAG is a word this program needs for itself")
        return "".join(self._word(kind, text) for kind, text in _pieces(source))

    def restore(self, text: str) -> str:
        """`text` with the tags back in their places."""
        return re.sub(r"LFTAG(\d+)X", lambda match: self._tags[int(match[1])], text)

    def words_of(self, pattern: re.Pattern[str]) -> list[str]:
        """The words that stand for tags which `pattern` describes."""
        return [f"LFTAG{n}X" for n, tag in enumerate(self._tags) if pattern.fullmatch(tag)]

    def is_block(self, word: str) -> bool:
        """Whether `word` stands for a `{% … %}`."""
        return word in self._blocks

    def tag(self, word: str) -> str | None:
        """The tag that `word` stands for, None for any other text."""
        match = re.fullmatch(r"LFTAG(\d+)X", word)
        return self._tags[int(match[1])] if match else None

    def keep(self, tag: str, *, block: bool = False) -> str:
        """The word that stands for `tag` from here on."""
        self._tags.append(tag)
        word = f"LFTAG{len(self._tags) - 1}X"
        if block:
            self._blocks.add(word)
        return word

    def _word(self, kind: str, text: str) -> str:
        match kind:
            case "data":
                return text
            case "comment_begin":
                return ""
            case _:
                return self.keep(text, block=kind == "block_begin")


def _pieces(source: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each stretch of plain text and each whole tag; Jinja's own lexer says where they end."""
    opened, inside = "", ""
    try:
        for _line, kind, text in _LEXER.lex(source):
            if opened:
                inside += text
                if kind == _ENDS[opened]:
                    yield opened, inside
                    opened = ""
            elif kind in _ENDS:
                opened, inside = kind, text
            else:
                yield "data", text
    except TemplateSyntaxError as error:
        raise TemplateError(error.message, line=error.lineno) from error

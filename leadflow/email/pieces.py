"""A page in the pieces it is made of: what its template says is known once, what a mail says to one reader is not.

A mail is nearly all template. Its constant pieces cross the pipe from the child with the template, and are JSON from
then on; of each mail the child says in which order they stand, and what stands between them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType

import orjson

#: Stands in an order for what is said to this reader alone.
OTHER = "_"
_BODY_END = "</body>"
#: Orders that are remembered of one template, for each `if` doubles them; signs of such an order.
_MOST_ORDERS, _LONGEST_ORDER = 50, 10_000


class StrangePageError(Exception):
    """No page is made like this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A text in its pieces."""

    pieces: Sequence[str]
    #: Of each its number, or that it is none of the template's own.
    order: Sequence[str]
    #: Those that are none.
    said: Sequence[str]

    @classmethod
    def of(cls, text: str) -> "Page":
        """All of it said to this reader."""
        return cls(pieces=[text], order=[OTHER], said=[text])

    def then(self, more: str) -> "Page":
        """It, with `more` at its end."""
        return Page(pieces=[*self.pieces, more], order=[*self.order, OTHER], said=[*self.said, more])


def constants_of(code: CodeType) -> Mapping[str, str]:
    """What a compiled template says itself → the number of that piece."""
    return {piece: str(number) for number, piece in enumerate(dict.fromkeys(_constants(code)))}


def _constants(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _constants(constant)
        elif isinstance(constant, str) and constant and "\0" not in constant:
            yield constant


class Pieces:
    """The constant pieces of a template, for whoever puts its pages together again."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self._texts = {str(number): text for number, text in enumerate(texts)}
        self._orders: dict[str, _Frame] = {}

    def page(self, order: str, said: Sequence[str], longest: int, ending: str = "") -> tuple[str, bytes]:
        """The page in which `said` stands in `order`, and the same as JSON; StrangePageError where it cannot.

        That is where it has more than `longest` bytes, too. `ending` stands where the body of HTML ends, if it does.
        """
        frame = self._orders.get(order) or self._framed(order, longest)
        if len(said) != len(frame.texts) - 1:
            raise StrangePageError
        told = orjson.dumps(said)
        page, json = [""] * (2 * len(said) + 1), [b""] * (2 * len(said) + 1)
        page[::2], json[::2] = frame.texts, frame.jsons
        page[1::2], json[1::2] = said, _apart(told, said)
        if ending and frame.end is not None:
            # Into the piece: into the page, which is copied for it, takes 6 µs of the 400 that a mail takes.
            page[frame.end.place] = ending.join(frame.end.texts)
            json[frame.end.place] = orjson.dumps(ending)[1:-1].join(frame.end.jsons)
        html = "".join(page)
        if frame.size + len(told) > longest and len(html.encode()) > longest:
            raise StrangePageError
        return html, b"".join(json)

    def _framed(self, order: str, longest: int) -> "_Frame":
        parts: list[list[str]] = [[]]
        size = 0
        for name in order.split():
            if name == OTHER:
                parts.append([])
            elif (piece := self._texts.get(name)) is not None and size <= longest:
                parts[-1].append(piece)
                size += len(piece.encode())
            else:
                raise StrangePageError
        texts = ["".join(part) for part in parts]
        jsons = [orjson.dumps(text)[1:-1] for text in texts]
        jsons[0] = b'"' + jsons[0]
        jsons[-1] += b'"'
        frame = _Frame(texts=texts, jsons=jsons, size=size, end=_end_of(texts, jsons))
        if len(order) <= _LONGEST_ORDER:
            if len(self._orders) >= _MOST_ORDERS:
                self._orders.clear()
            self._orders[order] = frame
        return frame


def _apart(told: bytes, said: Sequence[str]) -> Sequence[bytes]:
    """Each of `said` as JSON without its quotation marks; `told` is all of them."""
    if b'\\"' in told or not said:
        return [orjson.dumps(one)[1:-1] for one in said]
    # Nobody says a quotation mark, which is so in HTML: all there are stand around strings.
    return told[2:-2].split(b'","')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What is the same in all pages of one order."""

    #: Before, between and after what is said.
    texts: Sequence[str]
    #: The same as JSON; with the quotation marks around the whole.
    jsons: Sequence[bytes]
    #: Bytes of `texts`.
    size: int
    end: "_End | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """Where the body of a page ends."""

    #: Of the piece, among those of the page.
    place: int
    #: What stands before the end and from there on.
    texts: Sequence[str]
    jsons: Sequence[bytes]


def _end_of(texts: Sequence[str], jsons: Sequence[bytes]) -> _End | None:
    for number in reversed(range(len(texts))):
        before, end, after = texts[number].rpartition(_BODY_END)
        if end:
            json, _end, rest = jsons[number].rpartition(_BODY_END.encode())
            cut = (json, _BODY_END.encode() + rest)
            return _End(place=2 * number, texts=(before, end + after), jsons=cut)
    return None

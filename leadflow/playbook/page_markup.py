"""What the HTML of a page may not have: what would run, what the site's policy would keep from showing."""

from html.parser import HTMLParser

from leadflow.text import _

_RUNS = frozenset({"script", "iframe", "frame", "object", "embed", "applet", "base", "meta", "link", "svg", "math"})
_OURS = frozenset({"form", "input", "button", "select", "textarea", "html", "head", "body", "title"})
_ADDRESSES = frozenset({"href", "src", "action", "poster", "cite"})


def markup_faults(html: str) -> list[tuple[int, int, str]]:
    """(line, column, words) of each."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _RUNS:
            self._fault(_("<{tag}> runs or loads something: a page has none").format(tag=tag))
        elif tag in _OURS:
            self._fault(_("<{tag}> is put around your text for you; a form is named in the head").format(tag=tag))
        elif tag == "style":
            self._fault(_("<style> is not shown: the page wears the brand's colours and font"))
        given = dict(attrs)
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self._fault(_('{name}="…" has no effect on a page: remove it').format(name=name))
            elif name in _ADDRESSES and _scheme(value) in ("javascript", "data", "vbscript", "file"):
                self._fault(
                    _("{name} leads to {scheme}: write a page or an address").format(name=name, scheme=_scheme(value))
                )
        if tag == "img" and given.get("alt") is None:
            self._fault(_('an image without words: alt="…" says what it shows'))

    def _fault(self, told: str) -> None:
        line, column = self.getpos()
        self.found.append((line, column + 1, told))


def _scheme(value: str | None) -> str:
    plain = "".join(sign for sign in value or "" if sign > " ")
    return plain.partition(":")[0].lower() if ":" in plain.partition("/")[0] else ""

"""The colour of each text on what lies behind it, from inline styles, the body's own CSS and MJML's attributes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from leadflow.email.checks.css import Rule, declarations, rules_of, suits
from leadflow.email.checks.html import Token
from leadflow.email.checks.rows import Finding
from leadflow.email.checks.source import NOTHING, VALUE, Written
from leadflow.email.contrast import ENOUGH, contrast
from leadflow.text import decimal

#: Text of this size (or a little smaller and bold) may have less: WCAG 1.4.3.
_LARGE, _LARGE_BOLD, _LEAST_OF_LARGE = 24.0, 18.66, 3.0
#: `#0b5c63`.
Colour = str
_NAMES: Mapping[str, str] = {
    "black": "#000000", "white": "#ffffff", "gray": "#808080", "grey": "#808080", "silver": "#c0c0c0",
    "lightgray": "#d3d3d3", "lightgrey": "#d3d3d3", "darkgray": "#a9a9a9", "darkgrey": "#a9a9a9", "red": "#ff0000",
    "green": "#008000", "lime": "#00ff00", "blue": "#0000ff", "navy": "#000080", "yellow": "#ffff00",
    "orange": "#ffa500", "purple": "#800080", "teal": "#008080", "aqua": "#00ffff", "cyan": "#00ffff",
    "pink": "#ffc0cb", "maroon": "#800000", "olive": "#808000", "fuchsia": "#ff00ff",
}  # fmt: skip
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})")
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
#: What MJML writes where nothing is said.
_MJML_USUAL: Mapping[str, Mapping[str, str]] = {
    "mj-text": {"color": "#000000"},
    "mj-button": {"color": "#ffffff", "background-color": "#414141"},
}
_HIDES: Mapping[str, frozenset[str]] = {
    "display": frozenset({"none"}),
    "visibility": frozenset({"hidden"}),
    "opacity": frozenset({"0"}),
    "max-height": frozenset({"0", "0px"}),
    "font-size": frozenset({"0", "0px", "1px"}),
}
#: Where MJML's attributes say what lies behind an element's words.
_BEHIND = ("container-background-color", "background-color", "inner-background-color")


@dataclass(frozen=True, slots=True)
class Look:
    """How the text of an element looks; None where it cannot be said."""

    colour: Colour | None
    behind: Colour | None
    size: float = 16.0
    bold: bool = False
    #: Not shown at all, as the words that only a mailbox's list is to show.
    hidden: bool = False


def check_contrast(written: Written, found: list[Token], behind: Colour | None) -> Iterator[Finding]:
    """A finding for each element whose words are too pale on `behind`, or on what it or its parents say."""
    seen = set[int]()
    for look, opened in looks(found, behind):
        if look.colour is None or look.behind is None or look.hidden or opened.at in seen:
            continue
        ratio = contrast(look.colour, look.behind)
        large = look.size >= _LARGE or (look.bold and look.size >= _LARGE_BOLD)
        least = _LEAST_OF_LARGE if large else ENOUGH
        if ratio < least:
            seen.add(opened.at)
            # Cut, not rounded: 4.49 is no 4.5.
            shown = decimal(int(ratio * 10) / 10)
            told = {"colour": look.colour, "background": look.behind, "ratio": shown, "least": decimal(f"{least:g}")}
            yield written.finding("contrast", opened.at, **told)


def looks(found: list[Token], behind: Colour | None) -> Iterator[tuple[Look, Token]]:
    """The look of each text that is not blank, and the element it stands in."""
    rules = [rule for token in found if token.kind == "raw" for rule in rules_of(token.text)]
    usual = _usual(found)
    open_: list[tuple[Token, Look]] = []
    start = Look(None, behind)
    for token in found:
        if token.kind == "open":
            parents = [parent for parent, _look in open_]
            look = _look(token, parents, open_[-1][1] if open_ else start, rules, usual)
            if not token.alone:
                open_.append((token, look))
        elif token.kind == "close":
            _close(open_, token.name)
        elif token.kind == "text" and open_ and token.text.strip(f" \t\r\n\u00a0{NOTHING}"):
            yield open_[-1][1], open_[-1][0]


def _close(open_: list[tuple[Token, Look]], name: str) -> None:
    for place in range(len(open_) - 1, -1, -1):
        if open_[place][0].name == name:
            del open_[place:]
            return


def _usual(found: list[Token]) -> Mapping[str, Mapping[str, str]]:
    """What mj-attributes says: element, or `.class`, → attribute → value."""
    usual: dict[str, dict[str, str]] = {}
    inside = False
    for token in found:
        if token.name == "mj-attributes":
            inside = token.kind == "open" and not token.alone
        elif inside and token.kind == "open":
            name = f".{token.value('name')}" if token.name == "mj-class" else token.name
            usual[name] = {key: attribute.value for key, attribute in token.attributes.items()}
    return usual


def _look(
    token: Token, parents: list[Token], inherited: Look, rules: list[Rule], usual: Mapping[str, Mapping[str, str]]
) -> Look:
    said: dict[str, str] = {}
    if token.name.startswith("mj-"):
        classes = (token.value("mj-class") or "").split()
        sources = [_MJML_USUAL.get(token.name, {}), usual.get("mj-all", {}), usual.get(token.name, {})]
        sources += [usual.get(f".{name}", {}) for name in classes]
        for source in (*sources, {key: attribute.value for key, attribute in token.attributes.items()}):
            said.update(source)
        if token.name not in ("mj-text", "mj-button", "mj-table"):
            said.pop("color", None)
        # The outer one is covered by the inner one.
        for key in _BEHIND:
            if key in said:
                said["background-color"] = said[key]
    elif "bgcolor" in token.attributes:
        said["background-color"] = token.value("bgcolor") or ""
    if token.name == "font" and token.value("color"):
        said["color"] = token.value("color") or ""
    for rule in sorted((rule for rule in rules if suits(rule, token, parents)), key=lambda rule: rule.weight):
        said.update(rule.says)
    said.update(declarations(token.value("style") or ""))
    if token.name in ("a", "mj-button") and "color" not in said:
        # Mailboxes have their own colour for links.
        said["color"] = "?"
    return _with(inherited, said, bold=token.name in ("b", "strong", "h1", "h2", "h3", "th"))


def _with(look: Look, said: Mapping[str, str], *, bold: bool) -> Look:
    if "color" in said:
        look = replace(look, colour=colour_of(said["color"]))
    behind = said.get("background") or said.get("background-color")
    if "background-image" in said or "background-url" in said or "url(" in (behind or ""):
        look = replace(look, behind=None)
    elif behind and behind not in ("transparent", "none", "inherit"):
        look = replace(look, behind=colour_of(said.get("background-color") or behind))
    if size := re.fullmatch(r"(\d+(?:\.\d+)?)px", said.get("font-size", "")):
        look = replace(look, size=float(size[1]))
    if any(said.get(name, "").split("!")[0].strip() in values for name, values in _HIDES.items()):
        look = replace(look, hidden=True)
    weight = said.get("font-weight", "")
    return replace(look, bold=look.bold or bold or weight in ("bold", "600", "700", "800", "900"))


def colour_of(text: str) -> Colour | None:
    """The colour of `#0b5c63`, `rgb(11, 92, 99)` or a usual name; None for any other."""
    text = text.strip().lower().removesuffix("!important").strip()
    if VALUE in text:
        return None
    if found := _HEX.fullmatch(text):
        return text if len(found[1]) == 6 else "#" + "".join(digit * 2 for digit in found[1])
    if found := _RGB.fullmatch(text):
        return "#" + "".join(f"{min(int(part), 255):02x}" for part in found.groups())
    return _NAMES.get(text)

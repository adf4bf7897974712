"""As much CSS as mails use: rules of plain selectors, what they declare, and whom they suit."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from leadflow.email.checks.html import Token

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_COMPOUND = re.compile(r"([a-z][a-z0-9-]*|\*)?((?:[.#][\w-]+)*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One selector and its declarations: compounds from the outermost to the element itself."""

    compounds: tuple[tuple[str, frozenset[str]], ...]
    says: Mapping[str, str]
    #: Of two rules the heavier holds.
    weight: tuple[int, int, int]


def declarations(style: str) -> dict[str, str]:
    """Property → value of a style attribute, in small letters."""
    pairs = (part.partition(":") for part in style.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, colon, value in pairs if colon and value.strip()}


def rules_of(sheet: str) -> Iterator[Rule]:
    """The rules of a style sheet that hold everywhere; those of media queries and of states of an element do not."""
    text = _without_blocks(_COMMENT.sub("", sheet))
    for found in _RULE.finditer(text):
        says = declarations(found[2])
        for place, selector in enumerate(found[1].split(",")):
            compounds = _compounds(selector)
            if compounds:
                names = sum(bool(name) and name != "*" for name, _marks in compounds)
                yield Rule(
                    compounds=compounds,
                    says=says,
                    weight=(sum(len(m) for _n, m in compounds), names, found.start() + place),
                )


def _without_blocks(text: str) -> str:
    """`text` without @media and its like."""
    kept, depth, done = [], 0, 0
    for found in re.finditer(r"@[^{};]*[{;]|[{}]", text):
        sign = found[0]
        if depth == 0 and sign.startswith("@"):
            kept.append(text[done : found.start()])
            depth, done = (1, found.end()) if sign.endswith("{") else (0, found.end())
        elif depth and sign.endswith("{"):
            depth += 1
        elif depth and sign == "}":
            depth -= 1
            done = found.end()
    return "".join(kept) + ("" if depth else text[done:])


def _compounds(selector: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """The compounds of `.mail p > a`; nothing where the selector says more than names, classes and ids."""
    found = []
    for word in selector.replace(">", " ").split():
        compound = _COMPOUND.fullmatch(word)
        if compound is None:
            return ()
        found.append(((compound[1] or "").lower(), frozenset(re.findall(r"[.#][\w-]+", compound[2]))))
    return tuple(found)


def suits(rule: Rule, token: Token, parents: list[Token]) -> bool:
    """Whether `rule` holds for the element `token` below `parents`."""
    *outer, own = rule.compounds
    if not _is(own, token):
        return False
    above = iter(reversed(parents))
    return all(any(_is(compound, parent) for parent in above) for compound in reversed(outer))


def _is(compound: tuple[str, frozenset[str]], token: Token) -> bool:
    name, marks = compound
    if name not in ("", "*", token.name):
        return False
    classes = f"{token.value('class') or ''} {token.value('css-class') or ''}".split()
    own = {f".{word}" for word in classes} | {f"#{token.value('id')}"}
    return marks <= own

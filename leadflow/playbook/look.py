"""`brand: {colors: {text: "#1f2933", …}, font: Georgia, serif}`: refused where a reader could not read it."""

import re

from leadflow.email.contrast import ENOUGH, contrast, is_colour
from leadflow.playbook.model.look import COLORS, FONT, READ_ON, Look
from leadflow.reading import Node
from leadflow.text import _, decimal

_FONT = re.compile(r"[\w -]+|'[\w -]+'")
_ANY_MACHINE = ("serif", "sans-serif", "monospace")


def look_of(brand: Node) -> Look:
    """The look that `brand` asks for, what it leaves out being ours."""
    node = brand.part("colors")
    node.only(*COLORS)
    given = {name: colour for name in COLORS if (colour := _colour(node.part(name))) is not None}
    colors = {**COLORS, **given}
    for name, ground in READ_ON.items():
        # A pair of ours can be read: only what somebody wrote is their fault.
        spot = node.part(name) if name in given else node.part(ground)
        if not spot.absent and (found := contrast(colors[name], colors[ground])) < ENOUGH:
            told = _("{name} {colour} on {ground} {on}: a contrast of {found}, and people need {least} to read it")
            words = {"name": name, "colour": colors[name], "ground": ground, "on": colors[ground]}
            spot.fault(told.format(found=decimal(found), least=decimal(ENOUGH), **words))
    return Look(colors=colors, font=_font(brand.part("font")))


def _colour(node: Node) -> str | None:
    text = node.text()
    if text is not None and not is_colour(text):
        node.fault(_('"{text}" is no colour: write it between quotes, such as "#0b5c63"').format(text=text))
        return None
    return text


def _font(node: Node) -> str:
    text = node.text()
    if text is None:
        return FONT
    fonts = [font.strip() for font in text.split(",")]
    if not all(map(_FONT.fullmatch, fonts)):
        node.fault(_("write fonts as Georgia, 'Times New Roman', serif"))
    elif fonts[-1] not in _ANY_MACHINE:
        node.fault(_("end with {words}: a reader's machine may have none of the others").format(words=_either()))
    else:
        return text
    return FONT


def _either() -> str:
    return ", ".join(_ANY_MACHINE)

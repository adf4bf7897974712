"""What a style may not say in a mail: nothing that runs, nothing that loads other rules."""

import re

_COMMENT = re.compile(r"/\*.*?(\*/|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)
_BAD = re.compile(
    r"expression\s*\(|(?:java|vb)script\s*:|@\s*import|@\s*charset|@\s*namespace|-moz-binding|(?<![\w-])behavior\s*:|</|<!"
)
_URL = re.compile(r"url\s*\(\s*[\"']?\s*(?!https?://|cid:)[^)]{0,30}|image-set\s*\(|image\s*\(|src\s*\(")


def refuse_css(css: str) -> str:
    """The words of `css` that may not stand there, as they are understood; '' when all of them may."""
    # With its comments and without: what looks like one may stand in a string.
    for text in (css, _COMMENT.sub("", css)):
        meant = _ESCAPE.sub(_escaped, text.replace("&quot;", '"').replace("&amp;", "&")).lower()
        if found := _BAD.search(meant) or _URL.search(meant):
            return found[0]
    return ""


def _escaped(match: re.Match[str]) -> str:
    if not match[1]:
        return match[2]
    number = int(match[1], 16)
    return chr(number) if 0 < number < 0x110000 else "\ufffd"

